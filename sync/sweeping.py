"""Sweeping: repair what crashes and lost bells left behind, and forget what is old.

Everything here may run on several hosts at once without harm.
"""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from sync import bell, engine
from sync.models import Event, Heartbeat, Job, Portal

PRUNED_AT_ONCE = 1000


def sweep() -> None:
    """Put back jobs whose worker died, free lanes that lost their head, ring where work waits unrung."""
    engine.return_expired()
    _promote_orphans()
    for portal_id in Portal.objects.filter(is_paused=False).values_list("pk", flat=True):
        waiting = Event.objects.filter(portal_id=portal_id, outcome=Event.Outcome.WAITING)
        due = Job.objects.filter(portal_id=portal_id, state=Job.State.WAITING, due_at__lte=timezone.now())
        if waiting.exists() or due.exists():
            bell.ring(portal_id)


def prune(*, progress: Callable[[int], None] = lambda _: None) -> int:
    """Delete ended jobs, sorted events and silent workers older than RETENTION_DAYS; how many rows."""
    before = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    ended = Job.objects.filter(finished_at__lt=before, state__in=Job.ENDED)
    sorted_events = Event.objects.filter(received_at__lt=before).exclude(outcome=Event.Outcome.WAITING)
    deleted = 0
    for rows in (ended, sorted_events):
        while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
            rows.filter(pk__in=ids).delete()
            deleted += len(ids)
            progress(deleted)
    Heartbeat.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()
    return deleted


def _promote_orphans() -> None:
    """Lanes whose waiting jobs have nobody at the head: their promotion was lost in a crash."""
    headless = Job.objects.filter(state=Job.State.WAITING, due_at=None, head_of=None)
    lanes = list(headless.values_list("lane", flat=True).distinct()[:PRUNED_AT_ONCE])
    if lanes:
        Job.objects.promote(lanes, now=timezone.now())
