"""`/users`: who asks, what is given, do it once, answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ParseError, UnsupportedMediaType
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from sync.api.body import body_of
from sync.api.users import description
from sync.api.users.answers import newest_jobs, tell
from sync.api.users.fields import CHANGES, STAGE, USER, Strict
from sync.api.users.keys import HasScope, KeyAuthentication
from sync.api.users.listing import page_of
from sync.api.users.refusals import refusal
from sync.api.users.replays import Answer, once
from sync.api.wakeup import WAKEUPS
from sync.messaging import users
from sync.models import CoreUser

WAKE = WAKEUPS.request_for_messages


class UsersView(APIView):
    """What the addresses of users share: keys, JSON in and out, one shape of refusals."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (HasScope,)
    http_method_names = ["get", "post", "patch", "head"]

    def perform_content_negotiation(self, request: Request, *_: Any, **__: Any) -> tuple[Any, str]:
        """JSON, whatever the caller's Accept header says."""
        return JSONRenderer(), JSONRenderer.media_type

    def get_exception_handler(self) -> Callable[..., HttpResponse]:
        """Ours, for these views only."""
        return refusal

    def given(self, request: Request, fields: Strict) -> dict[str, Any]:
        """The checked fields of the body."""
        if request.content_type.partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType(request.content_type)
        try:
            given = json.loads(body_of(request._request), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not JSON: %(why)s.") % {"why": error}, "invalid_json") from error
        if not isinstance(given, dict):
            raise ParseError(_('The body must be an object, like {"stage": "NEW"}.'), "invalid_json")
        return fields.checked(given)

    def answered(self, request: Request, given: dict[str, Any], work: Callable[[], Answer]) -> JsonResponse:
        """What came of `work`, done once."""
        answer = once(request, given, work)
        response = JsonResponse(answer.body, status=answer.status)
        if answer.is_replayed:
            response["Idempotency-Replayed"] = "true"
        return response


class Users(UsersView):
    """All users."""

    @description.LIST
    def get(self, request: Request) -> JsonResponse:
        """A page of users, the newest first."""
        return JsonResponse(page_of(request))

    @description.CREATE
    def post(self, request: Request) -> JsonResponse:
        """A new user, whose lead is asked for."""
        given = self.given(request, USER)
        return self.answered(request, given, lambda: Answer(201, tell(users.create(given, wake=WAKE), None)))


class OneUser(UsersView):
    """One user."""

    @description.READ
    def get(self, request: Request, id: str) -> JsonResponse:
        """The user as it is."""
        user = CoreUser.objects.filter(pk=_number(id)).first()
        if user is None:
            raise _unknown(id)
        return JsonResponse(_told(user))

    @description.CHANGE
    def patch(self, request: Request, id: str) -> JsonResponse:
        """The user with other fields; the lead follows."""
        given = self.given(request, CHANGES)
        return self.answered(
            request, given, lambda: _changed(id, lambda pk: users.change(pk, given, wake=WAKE))
        )


class Move(UsersView):
    """A user's stage."""

    @description.MOVE
    def post(self, request: Request, id: str) -> JsonResponse:
        """The user at another stage; the lead follows."""
        given = self.given(request, STAGE)
        stage = given["stage"]
        return self.answered(
            request, given, lambda: _changed(id, lambda pk: users.move(pk, stage, wake=WAKE))
        )


def _changed(user_id: str, work: Callable[[int], CoreUser]) -> Answer:
    try:
        return Answer(200, _told(work(_number(user_id))))
    except CoreUser.DoesNotExist:
        raise _unknown(user_id) from None


def _told(user: CoreUser) -> dict[str, Any]:
    return tell(user, newest_jobs([user.pk]).get(user.pk))


def _number(user_id: str) -> int:
    """The ID meant, or NotFound; any text may stand in the address."""
    if not (user_id.isascii() and user_id.isdecimal()):
        raise _unknown(user_id)
    return int(user_id)


def _unknown(user_id: str) -> NotFound:
    return NotFound(_("There is no user %(id)s.") % {"id": user_id[:40]}, "unknown_user")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")
