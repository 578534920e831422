"""The queries behind the queue's status: few, grouped in the database, each over one index alone.

With a million ended jobs the counts cost one pass over the index (route, state, failure); no row is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max, Min

from sync.models import Event, Job, Route


@dataclass(frozen=True)
class OpenWork:
    """Waiting and running jobs of one route at one step, and when the last of them is due."""

    route_id: int
    step: str
    count: int
    last_due: datetime | None


@dataclass(frozen=True)
class UnsortedEvents:
    """Stored events of one portal that no worker has looked at, and since when."""

    count: int
    since: datetime


@dataclass
class RouteJobs:
    """The number of jobs of one route: in each state, and failed ones by kind of failure."""

    by_state: Counter[str] = field(default_factory=Counter)
    by_failure: Counter[str] = field(default_factory=Counter)


def jobs_by_route(states: Iterable[str] = ()) -> dict[int, RouteJobs]:
    """Route ID → its job counts; only of the named states, if any: the others then cost nothing."""
    counts: dict[int, RouteJobs] = {}
    counted = Job.objects.order_by()
    if chosen := list(states):
        # naming all routes costs nothing and lets the index over route and state go to just these
        counted = counted.filter(route__in=list(Route.objects.values_list("pk", flat=True)), state__in=chosen)
    rows = counted.values_list("route_id", "state", "failure").annotate(Count("pk"))
    for route_id, state, failure, count in rows:
        jobs = counts.setdefault(route_id, RouteJobs())
        jobs.by_state[state] += count
        if state == Job.State.FAILED:
            jobs.by_failure[failure] += count
    return counts


def waiting_since() -> dict[int, datetime]:
    """Route ID → when the oldest of its waiting jobs came."""
    # the oldest by ID, which the index holds; looking for the oldest by time would read every row
    waiting = Job.objects.filter(state=Job.State.WAITING).order_by()
    oldest = [pk for _, pk in waiting.values_list("route_id").annotate(Min("pk"))]
    return dict(Job.objects.filter(pk__in=oldest).values_list("route_id", "created_at"))


def open_work() -> list[OpenWork]:
    """Open jobs counted by route and step."""
    jobs = Job.objects.filter(state__in=Job.OPEN).order_by()
    rows = jobs.values_list("route_id", "step").annotate(Count("pk"), Max("due_at"))
    return [OpenWork(*row) for row in rows]


def unsorted_events() -> dict[int, UnsortedEvents]:
    """Portal ID → its events that no worker has sorted yet."""
    waiting = Event.objects.filter(outcome=Event.Outcome.WAITING).order_by()
    rows = list(waiting.values_list("portal_id").annotate(Count("pk"), Min("pk")))
    moments = dict(
        Event.objects.filter(pk__in=[oldest for *_, oldest in rows]).values_list("pk", "received_at")
    )
    return {
        portal_id: UnsortedEvents(count, moments[oldest])
        for portal_id, count, oldest in rows
        if oldest in moments
    }
