"""How drf-spectacular reads the users API: what serializers and docstrings cannot say."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from sync.api.openapi import ErrorSerializer
from sync.api.users.api_keys import ApiKeyAuthentication
from sync.api.users.serializers import (
    OPTIONAL_TEXT,
    REQUIRED_TEXT,
    MoveSerializer,
    StrictSerializer,
    TextField,
    UserQuerySerializer,
    UserSerializer,
)

Schema = dict[str, Any]

ID = OpenApiParameter(
    "id",
    {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    OpenApiParameter.PATH,
    description="The user's ID.",
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description=(
        "Any text of your own, a UUID for example. The same request with the same key is done once; when it "
        "comes again within 24 hours, it gets the same answer again."
    ),
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="`true` when the request was done before and only its answer is repeated.",
)
AUTHENTICATE = OpenApiParameter("WWW-Authenticate", str, OpenApiParameter.HEADER, response=[401])
RETRY_AFTER = OpenApiParameter("Retry-After", int, OpenApiParameter.HEADER, response=[503])

ERRORS = {
    400: "`invalid_fields`: `fields` says what is wrong with which; `invalid_json`, `invalid_body`.",
    401: "`unauthorized`: the key is missing, unknown, expired or revoked.",
    403: "`missing_scope`: the key lacks the scope that the message names.",
    404: "`unknown_user`.",
    413: "`body_too_large`: more than 1 MiB.",
    415: "`unsupported_media_type`: send JSON.",
    422: "`idempotency_key_reused`: the key was used for another request.",
    503: "`database_away`: nothing was done; try again after `Retry-After` seconds.",
}
ON_READING, ON_WRITING = (401, 403, 503), (400, 401, 403, 413, 415, 422, 503)
STATUSES = {
    "list": (200, 400, *ON_READING),
    "create": (201, *ON_WRITING),
    "read": (200, 404, *ON_READING),
    "change": (200, 404, *ON_WRITING),
    "move": (200, 404, *ON_WRITING),
}
"""What each operation may answer."""


class UserSchema(AutoSchema):
    """An operation on users; its docstring is the summary, and after an empty line the description."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Schema:
        """Describe the operation; a body must be sent even where none of its fields must."""
        operation: Schema = super().get_operation(*args, **kwargs) or {}
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        return operation

    def get_operation_id(self) -> str:
        """Name the operation by the method of the view."""
        return "list_users" if self.view.action == "list" else f"{self.view.action}_user"

    def get_summary(self) -> str:
        """Return the first paragraph, without its full stop."""
        return str(super().get_description().partition("\n\n")[0].rstrip("."))

    def get_description(self) -> str:  # type: ignore[override]  # DRF's takes more, AutoSchema's does not
        """Return the other paragraphs."""
        return str(super().get_description().partition("\n\n")[2])

    def get_override_parameters(self) -> list[Any]:
        """Return parameters and headers."""
        queried = [UserQuerySerializer] if self.view.action == "list" else []
        in_path = [ID] if "{id}" in self.path else []
        with_body = [KEY, REPLAYED] if self.method != "GET" else []
        return [*queried, *in_path, *with_body, AUTHENTICATE, RETRY_AFTER]

    def get_request_serializer(self) -> type[StrictSerializer]:
        """Return the serializer of the body."""
        return MoveSerializer if self.view.action == "move" else UserSerializer

    def get_response_serializers(self) -> Any:
        """Return what is answered, by status."""
        success, *failures = STATUSES[self.view.action]
        errors = {status: OpenApiResponse(ErrorSerializer, ERRORS[status]) for status in sorted(failures)}
        return {success: UserSerializer, **errors}


class KeyScheme(OpenApiAuthenticationExtension):
    """The two ways of giving a key."""

    target_class = ApiKeyAuthentication
    name = ["bearer", "apiKey"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Return either."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[Schema]:
        """Return both."""
        description = "A key made by staff on the page “API keys”."
        return [
            {"type": "http", "scheme": "bearer", "description": description},
            {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": description},
        ]


class StrictScheme(OpenApiSerializerExtension):
    """A body with a field more than these is refused; an answer has all of them."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        """Return the fields, and no others."""
        schema: Schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if direction == "request":
            return {**schema, "additionalProperties": False}
        return {**schema, "required": sorted(schema["properties"])}


class TextScheme(OpenApiSerializerFieldExtension):
    """A text without control characters."""

    target_class = TextField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        """Return the pattern; drf-spectacular adds the empty text where one is allowed."""
        return {"type": "string", "pattern": OPTIONAL_TEXT if self.target.allow_blank else REQUIRED_TEXT}
