"""Once is once: requests with an `Idempotency-Key` are done a single time, however often they come."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from sync.db.transactions import atomically
from sync.models import IdempotentResponse

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class Answer:
    """What a request is answered; `is_replayed`: it was answered so before."""

    status: int
    body: dict[str, Any]
    is_replayed: bool = False


class KeyReused(APIException):
    """The same key with another request: one of the two would be lost."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = gettext_lazy(
        "This Idempotency-Key was used for another request. Take a new key for a new request."
    )


def once(request: Request, given: Any, work: Callable[[], Answer]) -> Answer:
    """The answer of `work`, which runs in a transaction; of equal requests with one key it runs once.

    Raises KeyReused, and what `work` raises: then nothing is stored, and the key may be used again.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return atomically(work)
    if not _KEY.fullmatch(key):
        told = _("1 to 255 visible ASCII characters, please; a UUID is good.")
        raise ValidationError({"Idempotency-Key": [told]})
    stored = IdempotentResponse(
        api_key=request.auth,
        key=hashlib.sha256(key.encode()).hexdigest(),  # MySQL would take “a” and “A” for the same key
        request_hash=_hash_of(request, given),
    )
    return _known(stored) or _first(stored, work)


def _known(asked: IdempotentResponse) -> Answer | None:
    known = IdempotentResponse.objects.filter(api_key=asked.api_key, key=asked.key).first()
    if known is None:
        return None
    if known.request_hash != asked.request_hash:
        raise KeyReused
    return Answer(known.status, known.body, is_replayed=True)


def _first(asked: IdempotentResponse, work: Callable[[], Answer]) -> Answer:
    """The answer is stored with what it tells of. Of two requests at the same moment the constraint lets one
    through; all that the other one did is taken back.
    """

    def first() -> Answer:
        answer = work()
        asked.status, asked.body = answer.status, answer.body
        asked.save(force_insert=True)
        return answer

    try:
        return atomically(first)
    except IntegrityError:
        if known := _known(asked):
            return known
        raise


def _hash_of(request: Request, given: Any) -> str:
    whole = [request.method, request.path.rstrip("/"), given]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
