"""What OpenAPI says of each operation on users."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from sync.api.users.fields import Changes, Stage, UserFields, Wanted
from sync.api.users.shapes import Refusal, UserAnswer, UserPage

TAGS = ["users"]
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

USER: dict[str, Any] = {
    "id": 77,
    "full_name": "Иван Петров",
    "phone": "+79161234567",
    "stage": "NEW",
    "bitrix_lead_id": None,
    "lead": {"state": "waiting", "reason": "", "replied_at": None, "job": None},
    "created_at": "2026-11-21T10:29:00.000000Z",
    "updated_at": "2026-11-21T10:29:00.000000Z",
}
LINKED: dict[str, Any] = USER | {
    "bitrix_lead_id": 501,
    "lead": {
        "state": "linked",
        "reason": "",
        "replied_at": "2026-11-21T10:29:03.000000Z",
        "job": {"id": 12, "state": "done", "step": "create", "attempts": 1, "due_at": None, "note": ""},
    },
}
GIVEN = {"full_name": "Иван Петров", "phone": "8 (916) 123-45-67", "stage": "NEW"}

WHEN_REFUSED = {
    400: "`invalid_fields`: `fields` says what is wrong with which; `invalid_json`, `invalid_body`.",
    401: "`unauthorized`: the key is missing, unknown, expired or revoked.",
    403: "`missing_scope`: the key lacks the scope that the message names.",
    404: "`unknown_user`.",
    413: "`body_too_large`: more than 1 MiB.",
    415: "`unsupported_media_type`: send JSON.",
    422: "`idempotency_key_reused`: the key was used for another request.",
    503: "`database_away`: nothing was done; try again after `Retry-After` seconds.",
}


def _refused(*statuses: int) -> dict[int, OpenApiResponse]:
    return {status: OpenApiResponse(Refusal, WHEN_REFUSED[status]) for status in statuses}


def _example(name: str, value: Any, **where: Any) -> OpenApiExample:
    return OpenApiExample(name, value, **where)


LIST = extend_schema(
    operation_id="list_users",
    tags=TAGS,
    summary="List users",
    description="The newest first. Follow `next`; every page costs the same. Needs the scope `users:read`.",
    parameters=[Wanted, AUTHENTICATE, RETRY_AFTER],
    responses={200: UserPage, **_refused(400, 401, 403, 503)},
    examples=[
        _example("A page", {"next": None, "previous": None, "results": [LINKED]}, response_only=True),
    ],
)
CREATE = extend_schema(
    operation_id="create_user",
    tags=TAGS,
    summary="Create a user",
    description=(
        "The user is stored, and Bitrix24 is asked for a lead, in one step. The lead comes a moment later: "
        "see `lead` and `bitrix_lead_id`. Needs the scope `users:write`."
    ),
    parameters=[KEY, REPLAYED, AUTHENTICATE, RETRY_AFTER],
    request=UserFields,
    responses={201: UserAnswer, **_refused(400, 401, 403, 413, 415, 422, 503)},
    examples=[
        _example("A user", GIVEN, request_only=True),
        _example("The user", USER, response_only=True, status_codes=[201]),
    ],
)
READ = extend_schema(
    operation_id="read_user",
    tags=TAGS,
    summary="Read a user",
    description="The user and what is known of its lead. Needs the scope `users:read`.",
    parameters=[ID, AUTHENTICATE, RETRY_AFTER],
    responses={200: UserAnswer, **_refused(401, 403, 404, 503)},
    examples=[_example("The user", LINKED, response_only=True)],
)
CHANGE = extend_schema(
    operation_id="change_user",
    tags=TAGS,
    summary="Change a user",
    description=(
        "Fields that are not given stay. The lead follows; when nothing is different, nothing is asked of "
        "Bitrix24. Needs the scope `users:write`."
    ),
    parameters=[ID, KEY, REPLAYED, AUTHENTICATE, RETRY_AFTER],
    request=Changes,
    responses={200: UserAnswer, **_refused(400, 401, 403, 404, 413, 415, 422, 503)},
    examples=[
        _example("Another phone", {"phone": "+7 916 765-43-21"}, request_only=True),
        _example("The user", LINKED, response_only=True),
    ],
)
MOVE = extend_schema(
    operation_id="move_user",
    tags=TAGS,
    summary="Move a user to a stage",
    description="The lead follows, even when the user was at this stage. Needs the scope `users:write`.",
    parameters=[ID, KEY, REPLAYED, AUTHENTICATE, RETRY_AFTER],
    request=Stage,
    responses={200: UserAnswer, **_refused(400, 401, 403, 404, 413, 415, 422, 503)},
    examples=[
        _example("A stage", {"stage": "IN_PROCESS"}, request_only=True),
        _example("The user", LINKED | {"stage": "IN_PROCESS"}, response_only=True),
    ],
)
