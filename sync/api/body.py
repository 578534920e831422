"""The raw body of a webhook, whole or not at all."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from sync.errors import WebhookRejected

DISCARDED_AT_ONCE = 64 * 1024
MAX_DISCARDED = 16 * 1024 * 1024


def body_of(request: HttpRequest) -> bytes:
    """The body; raises WebhookRejected: body_too_large, or invalid_body when the sender hung up too early.

    Too large a body is read and discarded, so that the sender gets our answer, not a broken connection.
    """
    try:
        body = _read_chunked(request) if _is_chunked(request) else _read(request)
    except OSError as error:  # the connection broke, or the chunks are no chunks
        raise _cut_off() from error
    if body is None:
        raise WebhookRejected("body_too_large", f"The body is larger than {settings.MAX_BODY_BYTES} bytes.")
    return body


def _is_chunked(request: HttpRequest) -> bool:
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()


def _read(request: HttpRequest) -> bytes | None:
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > settings.MAX_BODY_BYTES:
        _discard(request, length)
        return None
    body = request.body
    if len(body) < length:  # half of the parameters may be missing: none of them is used
        raise _cut_off()
    return body


def _read_chunked(request: HttpRequest) -> bytes | None:
    """A body without a length: Django sees nothing of it, but the server knows where it ends."""
    stream = request.META["wsgi.input"]
    body: bytes = stream.read(settings.MAX_BODY_BYTES + 1)
    if len(body) <= settings.MAX_BODY_BYTES:
        return body
    _discard(stream, MAX_DISCARDED)
    return None


def _discard(stream: Any, length: int) -> None:
    left = min(length, MAX_DISCARDED)
    while left > 0 and (piece := stream.read(min(DISCARDED_AT_ONCE, left))):
        left -= len(piece)


def _cut_off() -> WebhookRejected:
    return WebhookRejected("invalid_body", "The body ended before it was complete.")
