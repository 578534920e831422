"""The error response of each exception."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import JsonResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ValidationError

from sync.api.errors import failure
from sync.errors import WebhookRejected
from sync.models import CoreUser

logger = logging.getLogger(__name__)

RETRY_AFTER = "30"
"""Seconds; a database that restarts is back by then."""


def exception_handler(error: Exception, context: dict[str, Any]) -> JsonResponse:
    """Return the response of an exception: all have the same shape, in the caller's language."""
    if isinstance(error, ValidationError):
        return _invalid_fields(error.detail)
    if isinstance(error, APIException):
        return _api_exception(error)
    if isinstance(error, CoreUser.DoesNotExist):
        user_id = context["kwargs"]["id"][:40]
        return failure(404, "unknown_user", _("There is no user %(id)s.") % {"id": user_id})
    if isinstance(error, WebhookRejected):
        return failure(error.status, error.code, _body_message(error))
    if isinstance(error, OperationalError | InterfaceError):
        logger.exception("A request to the users API failed: the database is away")
        response = failure(
            503, "database_away", _("The database is away. Nothing was done; try again later.")
        )
        response["Retry-After"] = RETRY_AFTER
        return response
    logger.exception("A request to the users API failed")
    return failure(500, "internal_error", _("An error of ours; it is in our log. Nothing was done."))


def _invalid_fields(detail: dict[str, Iterable[Any]]) -> JsonResponse:
    fields = {name: [str(sentence) for sentence in sentences] for name, sentences in detail.items()}
    message = " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in fields.items())
    return failure(400, "invalid_fields", message, fields=fields)


def _api_exception(error: APIException) -> JsonResponse:
    response = failure(error.status_code, str(error.get_codes()), str(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def _body_message(error: WebhookRejected) -> str:
    """Senders of webhooks read English; callers of this API have a language."""
    messages = {
        "body_too_large": _("The body is larger than %(bytes)s bytes.") % {"bytes": settings.MAX_BODY_BYTES},
        "invalid_body": _("The body ended before it was complete."),
    }
    return messages.get(error.code, error.message)
