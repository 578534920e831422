"""Retention: old history is deleted, in small transactions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sync.messaging import users
from sync.models import DirectoryRun, Event, Heartbeat, Job, Message

PRUNED_AT_ONCE = 1000


def prune(*, days: int | None = None, progress: Callable[[int], None] = lambda _: None) -> int:
    """Delete ended jobs, sorted events, sent messages and directory runs older than `days` (RETENTION_DAYS);
    how many rows.

    What is open stays, however old, and so do the events of open jobs. Links stay for ever: they are what
    keeps a second deal from being made.
    """
    deleted = 0
    for rows, age in _forgettable(days):
        # by age, so that the index over it ends the search; by ID the last round would read the whole table
        while ids := list(rows.order_by(age).values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
            deleted += _delete(rows.filter(pk__in=ids))
            progress(deleted)
    users.prune_idempotent_responses(timezone.now())
    Heartbeat.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()
    return deleted


def prunable(*, days: int | None = None) -> int:
    """How many rows `prune` would delete now."""
    return sum(rows.count() for rows, _ in _forgettable(days))


def _delete(rows: QuerySet[Any]) -> int:
    """Delete rows that are still forgettable under their lock: staff may press Retry at this moment."""
    with transaction.atomic():
        ids = list(rows.select_for_update().values_list("pk", flat=True))
        rows.model.objects.filter(pk__in=ids).delete()
    return len(ids)


def _forgettable(days: int | None) -> list[tuple[QuerySet[Any], str]]:
    """What may be forgotten, and its column of age. Jobs first: their events are free afterwards."""
    before = timezone.now() - timedelta(days=settings.RETENTION_DAYS if days is None else days)
    # not "among the ended": SQLite would look for a million of them by their state instead of by age
    jobs = Job.objects.filter(finished_at__lt=before).exclude(state__in=Job.OPEN)
    events = Event.objects.filter(received_at__lt=before).exclude(outcome=Event.Outcome.WAITING)
    runs = DirectoryRun.objects.filter(started_at__lt=before).exclude(job__state__in=Job.OPEN)
    return [
        (jobs, "finished_at"),
        (events.exclude(jobs__state__in=Job.OPEN), "received_at"),
        (Message.objects.filter(sent_at__lt=before), "sent_at"),
        (runs, "started_at"),
    ]
