"""What OpenAPI cannot find out by itself: how keys are given, what is refused, what webhooks bring."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
    OpenApiViewExtension,
)
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from sync.api.users.fields import PLAIN, VISIBLE
from sync.api.users.shapes import Refusal, WebhookAnswer

Schema = dict[str, Any]

ALIASES = ("/inbound/from-{slug}/{token}", "/webhooks/source/onDealCreate", "/webhooks/receiver/onDealUpdate")
"""Other ways of writing the addresses of webhooks."""


class KeyScheme(OpenApiAuthenticationExtension):
    """The two ways of giving a key."""

    target_class = "sync.api.users.keys.KeyAuthentication"
    name = ["bearer", "apiKey"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[Schema]:
        """Both."""
        message = "A key made by staff on the page “API keys”."
        return [
            {"type": "http", "scheme": "bearer", "description": message},
            {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": message},
        ]


class StrictScheme(OpenApiSerializerExtension):
    """A body with a field more than these is refused."""

    target_class = "sync.api.users.fields.Strict"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        """The fields, and no others."""
        schema: Schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


class TextScheme(OpenApiSerializerFieldExtension):
    """What a text must look like; a phone is a phone."""

    target_class = "sync.api.users.fields.Text"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        """What DRF does not tell."""
        schema: Schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        if self.target.looks_like:
            return {**schema, "minLength": 1, "format": self.target.looks_like}
        if self.target.allow_blank:
            return {**schema, "pattern": f"^{PLAIN}+$"}  # drf-spectacular adds the empty one
        return {**schema, "minLength": 1, "pattern": rf"^{PLAIN}*{VISIBLE}{PLAIN}*$"}


class InboundScheme(OpenApiViewExtension):
    """Webhooks of Bitrix24: docs/webhooks.md."""

    target_class = "sync.api.webhooks.Inbound"

    def view_replacement(self) -> type[APIView]:
        """The same addresses, described."""

        class Described(self.target):  # type: ignore[name-defined,misc]
            @WEBHOOK
            def get(self, request: Request, slug: str, token: str = "") -> None:
                """For OpenAPI alone."""

            @WEBHOOK
            def post(self, request: Request, slug: str, token: str = "") -> None:
                """For OpenAPI alone."""

        return Described


def described(endpoints: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """drf-spectacular's hook: each address once, without the other ways of writing it."""
    return [one for one in endpoints if not one[0].endswith("/") and one[0] not in ALIASES]


def with_bodies(result: Schema, **_: Any) -> Schema:
    """drf-spectacular's hook: a body stands in every request that may have one, even where no field must."""
    for path, operations in result["paths"].items():
        for operation in operations.values() if path.startswith("/users") else ():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return result


def _parameter(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, description=description)


def _refused(description: str) -> OpenApiResponse:
    return OpenApiResponse(Refusal, description)


WEBHOOK = extend_schema(
    tags=["webhooks"],
    auth=[],
    summary="Take a webhook of a portal",
    description=(
        "A robot or an outbound webhook of Bitrix24 tells that a deal is new or has changed. The parameters "
        "may stand in the query, a form or JSON, flat or nested; those that are not listed are for field "
        "mappings. The token may also be `auth[application_token]`, the end of the path or the header "
        "`X-Api-Key`."
    ),
    parameters=[
        _parameter("token", "The portal's inbound token."),
        _parameter("ORIGIN_ID", "The deal's ID; the first of ORIGIN_ID, ID, id, deal_id, data[FIELDS][ID]."),
        _parameter("ID", "The deal's ID."),
    ],
    request={
        "application/x-www-form-urlencoded": OpenApiTypes.OBJECT,
        "application/json": OpenApiTypes.OBJECT,
    },
    responses={
        200: WebhookAnswer,
        400: _refused("`missing_id`, `invalid_id`, `invalid_json`, `invalid_body`"),
        401: _refused("`unauthorized`: the token is missing or wrong."),
        404: _refused("`unknown_portal`"),
        413: _refused("`body_too_large`: more than 1 MiB."),
        503: _refused("`database_away`: nothing was stored; send it again."),
    },
)
