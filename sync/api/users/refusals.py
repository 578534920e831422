"""From an exception to the answer that tells of it."""

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

logger = logging.getLogger(__name__)

RETRY_AFTER = "30"
"""Seconds; a database that restarts is back by then."""


def refusal(error: Exception, _context: dict[str, Any]) -> JsonResponse:
    """DRF's exception handler of our views: every error has the same shape, in the caller's language."""
    if isinstance(error, ValidationError):
        return _wrong_fields(error.detail)
    if isinstance(error, APIException):
        return _of_drf(error)
    if isinstance(error, WebhookRejected):
        return failure(error.status, error.code, _sentence(error))
    if isinstance(error, OperationalError | InterfaceError):
        logger.exception("A request to the users API failed: the database is away")
        answer = failure(503, "database_away", _("The database is away. Nothing was done; try again later."))
        answer["Retry-After"] = RETRY_AFTER
        return answer
    logger.exception("A request to the users API failed")
    return failure(500, "internal_error", _("An error of ours; it is in our log. Nothing was done."))


def _wrong_fields(detail: dict[str, Iterable[Any]]) -> JsonResponse:
    fields = {name: [str(sentence) for sentence in sentences] for name, sentences in detail.items()}
    message = " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in fields.items())
    return failure(400, "invalid_fields", message, fields=fields)


def _of_drf(error: APIException) -> JsonResponse:
    answer = failure(error.status_code, str(error.get_codes()), str(error.detail))
    if header := getattr(error, "auth_header", None):
        answer["WWW-Authenticate"] = header
    return answer


def _sentence(error: WebhookRejected) -> str:
    """Senders of webhooks read English; callers of this API have a language."""
    sentences = {
        "body_too_large": _("The body is larger than %(bytes)s bytes.") % {"bytes": settings.MAX_BODY_BYTES},
        "invalid_body": _("The body ended before it was complete."),
    }
    return sentences.get(error.code, error.message)
