"""What a benchmark has done inside an installation: by a process of its own, over its database."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max
from django.utils import timezone

from sandbox.benchmarks.history import fill
from sandbox.benchmarks.page_queries import full_counts, queue_times
from sync import engine, inbox
from sync.connectors.types import IncomingEvent
from sync.models import ApiKey, Attempt, CoreUser, Event, Heartbeat, Job, Message, Portal
from sync.queue import wakeup

LOOK_EVERY = 0.05
ALIVE = timedelta(seconds=90)
PATIENCE = 60.0


def store_webhooks(*, first: int, count: int, slug: str = "source") -> Portal:
    """Store webhooks about `count` deals from ID `first` in one transaction; their portal."""
    portal = Portal.objects.get(slug=slug)
    notices = [IncomingEvent("deal", "", str(one), own_id=str(one)) for one in range(first, first + count)]
    rows = [
        Event(
            portal=portal,
            fingerprint=inbox.fingerprint_of(notice),
            entity=notice.entity,
            record_id=notice.record_id,
            own_id=notice.own_id,
        )
        for notice in notices
    ]
    with transaction.atomic():
        Event.objects.bulk_create(rows, batch_size=1000)
    return portal


def drain(*, first: int, count: int) -> dict[str, Any]:
    """Store webhooks and wait for the workers: seconds from the wake-up to the end of the last job, jobs by
    state.
    """
    portal = store_webhooks(first=first, count=count)
    began = time.time()
    wakeup.wake(portal.pk)
    return _ended(began)


def drain_two(*, count: int, second: str) -> dict[str, Any]:
    """The same for two portals with deals from ID 1; the second one's come when the first is under way."""
    began = time.time()
    wakeup.wake(store_webhooks(first=1, count=count).pk)
    while Job.objects.filter(step="announce").count() < min(100, count // 4):
        time.sleep(LOOK_EVERY)
    wakeup.wake(store_webhooks(first=1, count=count, slug=second).pk)
    return _ended(began)


def drain_here(*, first: int, count: int) -> dict[str, Any]:
    """Store webhooks and drain both portals in this process: seconds, processor seconds, queries."""
    store_webhooks(first=first, count=count)
    portals = list(Portal.objects.values_list("pk", flat=True))
    queries = 0

    def count_query(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  # Django's
        nonlocal queries
        queries += 1
        return execute(sql, params, many, context)

    began, processor = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(count_query):
        while sum([engine.drain(portal_id) for portal_id in portals]):
            continue
    return {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - processor,
        "queries": queries,
        "jobs": _by_state(),
    }


def written() -> dict[str, Any]:
    """Seconds that the last writing of a directory took."""
    attempt = Attempt.objects.filter(job__kind="directory", step="write").latest("pk")
    return {"seconds": (attempt.ended_at - attempt.started_at).total_seconds()}


def events() -> dict[str, Any]:
    """How many webhooks are stored."""
    return {"events": Event.objects.count()}


def key() -> dict[str, Any]:
    """A fresh key of the users API."""
    row = ApiKey(name="benchmark", scopes=ApiKey.Scope.values)
    made = row.issue()
    row.save()
    return {"key": made}


def people() -> dict[str, Any]:
    """How many users are stored, and how many messages about them."""
    return {"users": CoreUser.objects.count(), "messages": Message.objects.count()}


def backfill() -> dict[str, Any]:
    """How many deals of a resync have been created so far."""
    made = Attempt.objects.filter(step="create", outcome=Attempt.Outcome.PASSED)
    return {"created": made.filter(job__priority=Job.BACKFILL).count()}


def live_waits(*, count: int) -> dict[str, Any]:
    """Seconds from each live webhook to the answer of its create, and how much backfill still waits."""
    live = Attempt.objects.filter(
        step="create", outcome=Attempt.Outcome.PASSED, job__priority=Job.LIVE, job__event__isnull=False
    )
    ends = time.monotonic() + PATIENCE
    while live.count() < count and time.monotonic() < ends:
        time.sleep(LOOK_EVERY)
    moments = live.values_list("job__event__received_at", "ended_at")
    waiting = Job.objects.filter(priority=Job.BACKFILL, state__in=Job.OPEN)
    waits = [(ended - received).total_seconds() for received, ended in moments]
    return {"waits": waits, "backfill_left": waiting.count()}


def workers(*, count: int) -> dict[str, Any]:
    """Wait until so many clusters have given a sign of life lately."""
    seen = Heartbeat.objects.filter(seen_at__gt=timezone.now() - ALIVE)
    ends = time.monotonic() + PATIENCE
    while seen.count() < count and time.monotonic() < ends:
        time.sleep(LOOK_EVERY)
        seen = seen.all()
    return {"workers": seen.count()}


def forget_workers() -> dict[str, Any]:
    """Forget the signs of life: only those that come from now on count."""
    return {"forgotten": Heartbeat.objects.all().delete()[0]}


def _ended(began: float) -> dict[str, Any]:
    while _is_busy():
        time.sleep(LOOK_EVERY)
    last = Job.objects.aggregate(last=Max("finished_at"))["last"]
    return {"seconds": (last.timestamp() if last else time.time()) - began, "jobs": _by_state()}


def _is_busy() -> bool:
    unsorted = Event.objects.filter(outcome=Event.Outcome.WAITING)
    return unsorted.exists() or Job.objects.filter(state__in=Job.OPEN).exists()


def _by_state() -> dict[str, int]:
    return dict(Job.objects.order_by().values_list("state").annotate(Count("pk")))


WORKS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "drain": drain,
    "drain_two": drain_two,
    "drain_here": drain_here,
    "events": events,
    "written": written,
    "key": key,
    "people": people,
    "backfill": backfill,
    "live_waits": live_waits,
    "workers": workers,
    "forget_workers": forget_workers,
    "fill": fill,
    "full_counts": full_counts,
    "queue_times": queue_times,
}
