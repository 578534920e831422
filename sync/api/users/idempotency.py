"""Requests with an `Idempotency-Key` are done a single time, however often they come."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from sync.db.transactions import atomically
from sync.models import IdempotentResponse

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyReused(APIException):
    """The same key with another request: one of the two would be lost."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = gettext_lazy(
        "This Idempotency-Key was used for another request. Take a new key for a new request."
    )


def respond_once(request: Request, fields: Any, work: Callable[[], Response]) -> Response:
    """Return the response of `work`, which runs in a transaction: once, of equal requests with one key.

    Raises KeyReused, and what `work` raises: then nothing is stored, and the key may be used again.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return atomically(work)
    if not _KEY.fullmatch(key):
        sentence = _("1 to 255 visible ASCII characters, please; a UUID is good.")
        raise ValidationError({"Idempotency-Key": [sentence]})
    row = IdempotentResponse(
        api_key=request.auth,
        key=hashlib.sha256(key.encode()).hexdigest(),  # MySQL would take “a” and “A” for the same key
        request_hash=_hash_of(request, fields),
    )
    return _stored(row) or _first(row, work)


def _stored(asked: IdempotentResponse) -> Response | None:
    row = IdempotentResponse.objects.filter(api_key=asked.api_key, key=asked.key).first()
    if row is None:
        return None
    if row.request_hash != asked.request_hash:
        raise KeyReused
    return Response(row.body, row.status, headers={"Idempotency-Replayed": "true"})


def _first(row: IdempotentResponse, work: Callable[[], Response]) -> Response:
    """Return the response, stored with what it tells of. Of two requests at the same moment the constraint
    lets one through; all that the other one did is taken back.
    """

    def first() -> Response:
        response = work()
        row.status, row.body = response.status_code, response.data
        row.save(force_insert=True)
        return response

    try:
        return atomically(first)
    except IntegrityError:
        if response := _stored(row):
            return response
        raise


def _hash_of(request: Request, fields: Any) -> str:
    whole = [request.method, request.path.rstrip("/"), fields]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
