"""What OpenAPI cannot find out by itself: what an error looks like, what webhooks bring."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.fields import BooleanField, CharField, ChoiceField, DictField, IntegerField, ListField
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

ALIASES = ("/inbound/from-{slug}/{token}", "/webhooks/source/onDealCreate", "/webhooks/receiver/onDealUpdate")
"""Other ways of writing the addresses of webhooks."""


class ErrorDetailSerializer(Serializer):
    """Why a request was refused."""

    message = CharField(help_text="For people, in the language of Accept-Language (ru, en).")
    code = CharField(help_text="For programs; it does not change.")
    fields = DictField(
        child=ListField(child=CharField()),
        required=False,
        help_text="What is wrong with which field.",
    )


class ErrorSerializer(Serializer):
    """A request that was refused changed nothing."""

    success = BooleanField(help_text="Always false.")
    error = ErrorDetailSerializer()
    timestamp = IntegerField(help_text="Seconds since 1970.")


class AcceptedWebhookSerializer(Serializer):
    """Which deal a webhook was about."""

    status = ChoiceField(["accepted"])
    deal_id = CharField()


class WebhookAnswerSerializer(Serializer):
    """The webhook is stored."""

    success = BooleanField(help_text="Always true.")
    result = AcceptedWebhookSerializer()
    timestamp = IntegerField(help_text="Seconds since 1970.")


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


def _parameter(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, description=description)


def _refused(description: str) -> OpenApiResponse:
    return OpenApiResponse(ErrorSerializer, description)


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
        200: WebhookAnswerSerializer,
        400: _refused("`missing_id`, `invalid_id`, `invalid_json`, `invalid_body`"),
        401: _refused("`unauthorized`: the token is missing or wrong."),
        404: _refused("`unknown_portal`"),
        413: _refused("`body_too_large`: more than 1 MiB."),
        503: _refused("`database_away`: nothing was stored; send it again."),
    },
)
