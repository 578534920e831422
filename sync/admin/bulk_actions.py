"""Staff's actions on very many jobs: chunk by chunk, and no longer than a browser waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from sync.models import Job

CHUNK = 2000

SECONDS = 20.0
"""A proxy gives up on a page after 30 to 60 seconds; the answer must come before."""


@dataclass(frozen=True)
class BulkResult:
    """How many jobs changed, and whether there was time for all of them."""

    count: int
    is_all: bool


def change_many(
    jobs: QuerySet[Job],
    states: Iterable[str],
    verb: Callable[[Any], int],
    *,
    seconds: float = SECONDS,
) -> BulkResult:
    """Run `verb` on those of `jobs` that are in `states`, the oldest first; each chunk is committed."""
    ends = time.monotonic() + seconds
    count, last = 0, 0
    wanted = jobs.filter(state__in=states).order_by("pk")
    while ids := list(wanted.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        count, last = count + verb(Job.objects.filter(pk__in=ids)), ids[-1]
        if len(ids) == CHUNK and time.monotonic() > ends:
            return BulkResult(count, is_all=False)
    return BulkResult(count, is_all=True)
