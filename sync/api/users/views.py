"""`/users`: check what is given, do it once, answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from sync.api.body import body_of
from sync.api.users.api_keys import ApiKeyAuthentication, HasScope
from sync.api.users.errors import exception_handler
from sync.api.users.idempotency import respond_once
from sync.api.users.pagination import UserPagination
from sync.api.users.schema import UserSchema
from sync.api.users.serializers import MoveSerializer, UserQuerySerializer, UserSerializer
from sync.api.wakeup import WAKEUPS
from sync.flows.leads import NAME as LEADS
from sync.messaging import users
from sync.models import CoreUser, Job

WAKE = WAKEUPS.request_for_messages

USER, CHANGES, MOVE, QUERY = (
    UserSerializer(),
    UserSerializer(partial=True),
    MoveSerializer(),
    UserQuerySerializer(),
)
"""One for all requests: DRF copies every field for a new one, which takes longer than to store a user."""


class UserViewSet(GenericViewSet):
    """Users and their leads. The docstrings of the operations stand in the description, too."""

    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasScope,)
    pagination_class = UserPagination
    http_method_names = ["get", "post", "patch", "head"]
    schema = UserSchema()

    def list(self, request: Request) -> Response:
        """List users.

        The newest first. Follow `next`; every page costs the same. Needs the scope `users:read`.
        """
        query = QUERY.run_validation(request.query_params.dict())
        self.paginator.page_size = query["page_size"]
        page = self.paginate_queryset(_found(query))
        jobs = _newest_jobs(page)
        rendered = [_rendered(user, jobs.get(user.pk)) for user in page]
        response: Response = self.get_paginated_response(rendered)
        return response

    def create(self, request: Request) -> Response:
        """Create a user.

        The user is stored, and Bitrix24 is asked for a lead, in one step. The lead comes a moment later: see
        `lead` and `bitrix_lead_id`. Needs the scope `users:write`.
        """
        fields = USER.run_validation(_json_object(request))
        return respond_once(
            request, fields, lambda: Response(_rendered(users.create(fields, wake=WAKE), None), 201)
        )

    def read(self, request: Request, id: str) -> Response:
        """Read a user.

        The user and what is known of its lead. Needs the scope `users:read`.
        """
        return _response(CoreUser.objects.get(pk=_number(id)))

    def change(self, request: Request, id: str) -> Response:
        """Change a user.

        Fields that are not given stay. The lead follows; when nothing is different, nothing is asked of
        Bitrix24. Needs the scope `users:write`.
        """
        fields = CHANGES.run_validation(_json_object(request))
        return respond_once(request, fields, lambda: _response(users.change(_number(id), fields, wake=WAKE)))

    def move(self, request: Request, id: str) -> Response:
        """Move a user to a stage.

        The lead follows, even when the user was at this stage. Needs the scope `users:write`.
        """
        fields = MOVE.run_validation(_json_object(request))
        return respond_once(
            request, fields, lambda: _response(users.move(_number(id), fields["stage"], wake=WAKE))
        )

    def perform_content_negotiation(self, request: Request, *_: Any, **__: Any) -> tuple[Any, str]:
        """Return JSON, whatever the caller's Accept header says."""
        return JSONRenderer(), JSONRenderer.media_type

    def get_exception_handler(self) -> Callable[..., HttpResponse]:
        """Return ours, for these views only."""
        return exception_handler


def _json_object(request: Request) -> dict[str, Any]:
    """The body. Not `request.data`: DRF takes an empty or a chunked body for {}."""
    if request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(request.content_type)
    try:
        body = json.loads(body_of(request._request), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ParseError(_("The body is not JSON: %(why)s.") % {"why": error}, "invalid_json") from error
    if not isinstance(body, dict):
        raise ParseError(_('The body must be an object, like {"stage": "NEW"}.'), "invalid_json")
    return body


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _number(user_id: str) -> int:
    """The ID meant; any text may stand in the address."""
    if not (user_id.isascii() and user_id.isdecimal()):
        raise CoreUser.DoesNotExist
    return int(user_id)


def _found(query: dict[str, Any]) -> QuerySet[CoreUser]:
    found = CoreUser.objects.filter(
        **{name: query[name] for name in ("stage", "lead_state") if name in query}
    )
    return users.search(found, query["search"]) if query.get("search") else found


def _response(user: CoreUser) -> Response:
    return Response(_rendered(user, _newest_jobs([user]).get(user.pk)))


def _rendered(user: CoreUser, job: Job | None) -> dict[str, Any]:
    user.newest_job = job  # type: ignore[attr-defined]  # as an annotation of the query would
    rendered: dict[str, Any] = USER.to_representation(user)
    return rendered


def _newest_jobs(page: list[CoreUser]) -> dict[int, Job]:
    """The newest job of each of these users on the routes of leads, by the user's ID."""
    theirs = Job.objects.filter(route__flow=LEADS, source_id__in=[str(user.pk) for user in page])
    newest = theirs.order_by().values("source_id").annotate(newest=Max("pk")).values("newest")
    return {int(job.source_id): job for job in Job.objects.filter(pk__in=newest).order_by().defer("params")}
