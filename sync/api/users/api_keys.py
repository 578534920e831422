"""API keys: authentication by a key, permission by its scopes."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from sync.models import ApiKey

SCHEME = "bearer "

REMEMBERED_SECONDS = 1.0
"""The longest time a revoked key is still believed: a busy one would cost a query a request."""

_remembered: dict[str, tuple[float, ApiKey]] = {}
"""Good keys by digest, so never more than there are, and when they were looked up."""


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY` or `X-Api-Key: KEY`; `request.auth` is the key's row."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        """Return the key's row; AuthenticationFailed tells unknown, expired and revoked keys alike."""
        given = _given(request)
        if not given:
            raise NotAuthenticated(
                _("A key is needed: send “Authorization: Bearer KEY” or “X-Api-Key: KEY”."), "unauthorized"
            )
        now = timezone.now()
        key = _known(given, now)
        if key is None:
            raise AuthenticationFailed(_("The key is unknown, expired or revoked."), "unauthorized")
        key.note_use(now)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        """Return how a key is to be sent."""
        return 'Bearer realm="users"'


class HasScope(BasePermission):
    """The scope that reading or writing needs."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return True, or raise PermissionDenied with the scope that is missing."""
        scope = ApiKey.Scope.READ if request.method in SAFE_METHODS else ApiKey.Scope.WRITE
        if scope.value not in request.auth.scopes:
            raise PermissionDenied(
                _("This key may not do that: it lacks the scope %(scope)s.") % {"scope": scope.value},
                "missing_scope",
            )
        return True


def _given(request: Request) -> str:
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if header[: len(SCHEME)].lower() == SCHEME:
        return str(header[len(SCHEME) :].strip())
    return str(request.META.get("HTTP_X_API_KEY", "").strip())


def _known(given: str, now: datetime) -> ApiKey | None:
    """The key's row, as it was within the last second; a refusal rests on what the database says now."""
    digest, asked_at = ApiKey.digest_of(given), time.monotonic()
    seen_at, key = _remembered.get(digest, (0.0, None))
    if key and asked_at - seen_at < REMEMBERED_SECONDS and key.is_in_time(now):
        return key
    if key := ApiKey.known(given, now=now):
        _remembered[digest] = asked_at, key
    else:
        _remembered.pop(digest, None)
    return key
