"""Stored events become jobs, many at a time."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from sync.db.transactions import atomically
from sync.flows import FLOWS
from sync.flows.contract import Ignored, JobSpec
from sync.inbox.jobs import queue_jobs
from sync.models import Event, Job, Portal, Route, Slot

EVENTS_AT_ONCE = 50
"""Sorted in one transaction: while it lasts, SQLite takes in no webhook."""


def sort(portal: Portal) -> int:
    """Turn the portal's stored events into jobs; how many events were sorted.

    One transaction under a lock of the portal's own, so that two workers never sort the same portal at once
    and each lane keeps the order in which its events arrived.
    """
    if not Event.objects.filter(portal=portal, outcome=Event.Outcome.WAITING).exists():
        return 0
    return atomically(lambda: _sort_locked(portal))


def _sort_locked(portal: Portal) -> int:
    Slot.lock_sorting(portal.pk)
    waiting = Event.objects.filter(portal=portal, outcome=Event.Outcome.WAITING).order_by("id")
    events = list(waiting[:EVENTS_AT_ONCE])
    for event in events:
        event.outcome, event.note = Event.Outcome.IGNORED, _("No route begins or ends at this portal.")
    routes = Route.objects.filter(Q(source=portal) | Q(target=portal))
    for route in routes:
        if route.source_id == portal.pk:
            _sort_on(route, "source", events)
    for route in routes:
        if route.target_id == portal.pk:
            _sort_on(route, "target", events)
    _save_outcomes(events)
    return len(events)


def _save_outcomes(events: list[Event]) -> None:
    """One statement for all events with the same end."""
    ends: dict[tuple[str, str], list[int]] = {}
    for event in events:
        ends.setdefault((event.outcome, event.note), []).append(event.pk)
    for (outcome, note), ids in ends.items():
        Event.objects.filter(pk__in=ids).update(outcome=outcome, note=note)


def _sort_on(route: Route, side: Any, events: list[Event]) -> None:
    flow = FLOWS[route.flow]
    wanted: list[tuple[JobSpec, Event | None]] = []
    for event, decision in zip(events, flow.sort(route, side, events), strict=True):
        if isinstance(decision, Ignored):
            if event.outcome == Event.Outcome.IGNORED and decision.reason:
                event.note = decision.reason
        else:
            event.outcome, event.note = Event.Outcome.QUEUED, ""
            wanted.append((decision, event))
    queue_jobs(route, flow, wanted, priority=Job.LIVE)
