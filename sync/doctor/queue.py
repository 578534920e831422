"""The queue and its workers: are wake-ups taken, do the schedules run, is a worker alive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.models import OrmQ, Schedule

from sync.flows.findings import Finding, fault, ok, warn
from sync.models import Heartbeat
from sync.status import duration, queue_status

QUEUE, WORKERS = "queue", "workers"
SCHEDULED = ("sync.tasks.sweep", "sync.tasks.prune")
LATE_WAKEUP = timedelta(minutes=1)
LATE_SCHEDULE = timedelta(minutes=5)
LATE_SORTING = timedelta(minutes=5)


def check_queue() -> Iterator[Finding]:
    """Examine wake-ups, schedules, stored webhooks and failed jobs."""
    now = timezone.now()
    yield _wakeups(now)
    for name in SCHEDULED:
        yield _schedule(name, now)
    status = queue_status()
    if status.counts.unsorted and status.counts.oldest > LATE_SORTING.total_seconds():
        yield fault(
            QUEUE,
            _("%(count)d stored webhooks wait to be sorted, since %(age)s.")
            % {"count": status.counts.unsorted, "age": duration(status.counts.oldest)},
            _("Start a worker: `manage.py qcluster`."),
        )
    if failed := status.counts.jobs["failed"]:
        yield warn(
            QUEUE,
            _("%d jobs have failed.") % failed,
            _("Read why in the admin, mend it, then press Retry there or run `manage.py retry`."),
        )
    yield ok(QUEUE, _("%(waiting)d jobs wait, %(running)d run.") % status.counts.jobs)


def check_workers() -> Iterator[Finding]:
    """Examine which workers are alive."""
    alive = list(Heartbeat.alive().values_list("name", flat=True))
    if alive:
        yield ok(WORKERS, _("Alive: %s.") % ", ".join(alive))
    else:
        last = Heartbeat.objects.order_by("-seen_at").first()
        seen = (
            _("The last one was seen %s ago.") % duration((timezone.now() - last.seen_at).total_seconds())
            if last
            else ""
        )
        nobody = _("No worker is alive: webhooks are stored, but nothing is sent.")
        yield fault(
            WORKERS,
            f"{nobody} {seen}".strip(),
            _("Start one: `manage.py qcluster`, or the service that runs it."),
        )


def _wakeups(now: datetime) -> Finding:
    due = (
        OrmQ.objects.filter(lock__lt=now - LATE_WAKEUP)
        .order_by("lock")
        .values_list("lock", flat=True)
        .first()
    )
    if due is None:
        return ok(QUEUE, _("Every wake-up is taken in time."))
    return fault(
        QUEUE,
        _("A wake-up has waited for %s and no worker takes it.") % duration((now - due).total_seconds()),
        _("Start or restart the workers."),
    )


def _schedule(name: str, now: datetime) -> Finding:
    row = Schedule.objects.filter(func=name).order_by("next_run").first()
    if row is None or row.next_run is None:
        return fault(
            QUEUE,
            _("The schedule of %s is missing.") % name,
            _("Run `manage.py migrate`: it makes the schedules."),
        )
    if row.repeats == 0:
        return warn(QUEUE, _("The schedule of %s is switched off.") % name, _("Switch it on in the admin."))
    if row.next_run < now - LATE_SCHEDULE:
        late = duration((now - row.next_run).total_seconds())
        return fault(
            QUEUE,
            _("%(name)s should have run %(late)s ago.") % {"name": name, "late": late},
            _("Start or restart the workers."),
        )
    return ok(QUEUE, _("%s runs on schedule.") % name)
