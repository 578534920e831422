"""Queries of the staff's pages: does one count a whole table? How long do the counts of the queue take?"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from sync.status import queue_status

_COUNT = re.compile(r"COUNT\(", re.IGNORECASE)
_BIG = re.compile(r"FROM [`\"]sync_(job|event|link|attempt)[`\"]")


def full_counts(*, pages: Iterable[str], login: str) -> dict[str, Any]:
    """Statements of these pages that count a big table without a bound or a condition."""
    found: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  # Django's
        if _COUNT.search(sql) and _BIG.search(sql) and "LIMIT" not in sql and "WHERE" not in sql:
            found.append(sql)
        return execute(sql, params, many, context)

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(get_user_model().objects.get(username=login))
    with connection.execute_wrapper(note):
        for page in pages:
            answer = client.get(page)
            if answer.status_code != 200:
                raise RuntimeError(f"{page}: HTTP {answer.status_code}")
    return {"statements": sorted(set(found))}


def queue_times(*, rounds: int) -> dict[str, Any]:
    """Seconds that each of so many counts of the whole queue takes."""
    return {"seconds": [_seconds() for _ in range(rounds)]}


def _seconds() -> float:
    began = time.perf_counter()
    queue_status()
    return time.perf_counter() - began
