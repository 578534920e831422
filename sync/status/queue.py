"""The status of the queue put together: routes, portals, and both as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sync.connectors import is_called
from sync.flows import FLOWS
from sync.models import Job, Message, Portal, Route
from sync.status import counts as queries
from sync.status.counts import UnsortedEvents
from sync.status.forecast import Forecast, PortalLoad, Rate, Work, forecast, portal_loads, slowest
from sync.status.portals import PortalStatus, portal_statuses

SECRETS = ("webhook_url", "inbound_token")
"""Columns that are not read: when their key is lost, the status can still be shown."""

SECRETS_OF_ROUTES = [f"{side}__{name}" for side in ("source", "target") for name in SECRETS]


@dataclass(frozen=True)
class JobCounts:
    """Jobs by state, failed ones by why, seconds the oldest has waited.

    `unsorted`: stored events that no worker has looked at yet; `jobs` has them among the waiting.
    """

    jobs: dict[str, int]
    unsorted: int
    failures: dict[str, int]
    oldest: float


@dataclass(frozen=True)
class RouteStatus:
    """One route; an unsorted event counts on every route of its portal."""

    slug: str
    source: str
    target: str
    counts: JobCounts
    forecast: Forecast


@dataclass(frozen=True)
class PortalSummary:
    """Whether a portal takes requests, and how many of ours still have to go there.

    `state`: answers, away (the breaker is open, `trouble` says why) or paused. `next_request` and the values
    of `blocked` (methods whose time budget is spent) are seconds from now.
    """

    slug: str
    state: str
    trouble: str
    requests_per_minute: int
    requests_left: int
    next_request: float
    blocked: dict[str, float]
    unsorted: int


@dataclass(frozen=True)
class QueueStatus:
    """Everything at one moment; an unsorted event counts once here, whatever routes its portal has.

    `unsent`: messages about leads that wait to be sent.
    """

    counts: JobCounts
    forecast: Forecast
    routes: list[RouteStatus]
    portals: list[PortalSummary]
    unsent: int = 0

    def only(self, slug: str) -> QueueStatus:
        """The same for one route and its portals; KeyError when there is none of that name."""
        route = {one.slug: one for one in self.routes}[slug]
        portals = [one for one in self.portals if one.slug in (route.source, route.target)]
        return QueueStatus(route.counts, route.forecast, [route], portals)


def queue_status(states: Iterable[str] = ()) -> QueueStatus:
    """Count the jobs and make the forecast; only jobs in `states` are counted, if any is named."""
    now = timezone.now()
    routes = list(Route.objects.select_related("source", "target").defer(*SECRETS_OF_ROUTES).order_by("slug"))
    portals = list(Portal.objects.defer(*SECRETS).order_by("slug"))
    counts = _Counts(now, states)
    statuses = portal_statuses(portals, now=now.timestamp())
    rates = {slug: status.rate for slug, status in statuses.items()}
    works = [*_open_work(routes, now=now), *_unsorted_work(routes, counts.events)]
    loads = portal_loads(works, rates)
    route_statuses = [
        RouteStatus(
            slug=route.slug,
            source=route.source.slug,
            target=_target(route),
            counts=counts.of_route(route),
            forecast=_forecast(route, works, loads, rates),
        )
        for route in routes
    ]
    return QueueStatus(
        counts=counts.of_all(),
        forecast=slowest(route.forecast for route in route_statuses),
        routes=route_statuses,
        portals=[
            _portal(portal, statuses[portal.slug], loads[portal.slug], counts.events)
            for portal in portals
            if is_called(portal.kind)
        ],
        unsent=Message.unsent().count(),
    )


def status_as_json(status: QueueStatus) -> dict[str, Any]:
    """The status for programs: plain values, seconds to a tenth; `eta_seconds` null comes with a reason."""
    return {
        **_counts_json(status.counts, status.forecast),
        "unsent_messages": status.unsent,
        "routes": {route.slug: _counts_json(route.counts, route.forecast) for route in status.routes},
        "portals": {
            portal.slug: {
                "state": portal.state,
                "trouble": portal.trouble,
                "requests_per_minute": portal.requests_per_minute,
                "requests_left": portal.requests_left,
                "next_request_seconds": round(portal.next_request, 1),
                "blocked_methods": {method: round(wait, 1) for method, wait in portal.blocked.items()},
                "unsorted": portal.unsorted,
            }
            for portal in status.portals
        },
    }


def _counts_json(counts: JobCounts, expected: Forecast) -> dict[str, Any]:
    return {
        "jobs": counts.jobs,
        "unsorted": counts.unsorted,
        "failures": counts.failures,
        "oldest_waiting_seconds": round(counts.oldest, 1),
        "eta_seconds": None if expected.seconds is None else round(expected.seconds, 1),
        "eta_reason": expected.reason,
    }


class _Counts:
    """The counts of the database, and their sums for a route and for all."""

    def __init__(self, now: datetime, states: Iterable[str]) -> None:
        self.now = now
        # events first: one that becomes a job between two statements is counted twice, not left out
        self.events = queries.unsorted_events()
        self.jobs = queries.jobs_by_route(states)
        self.since = queries.waiting_since()

    def of_route(self, route: Route) -> JobCounts:
        """One route and the events of its two portals."""
        events = [self.events[pk] for pk in (route.source_id, route.target_id) if pk in self.events]
        return self._job_counts([route.pk], events)

    def of_all(self) -> JobCounts:
        """The whole queue."""
        return self._job_counts(list(self.jobs), list(self.events.values()))

    def _job_counts(self, route_ids: list[int], events: list[UnsortedEvents]) -> JobCounts:
        counted = [self.jobs[pk] for pk in route_ids if pk in self.jobs]
        jobs = sum((one.by_state for one in counted), Counter[str]())
        unsorted = sum(one.count for one in events)
        jobs[Job.State.WAITING] += unsorted
        moments = [self.since[pk] for pk in route_ids if pk in self.since] + [one.since for one in events]
        return JobCounts(
            jobs={state.value: jobs[state] for state in Job.State},
            unsorted=unsorted,
            failures=dict(sum((one.by_failure for one in counted), Counter[str]())),
            oldest=max(((self.now - moment).total_seconds() for moment in moments), default=0.0),
        )


def _open_work(routes: list[Route], *, now: datetime) -> Iterator[Work]:
    by_id = {route.pk: route for route in routes}
    for found in queries.open_work():
        idle = (found.last_due - now).total_seconds() if found.last_due else 0.0
        if found.route_id in by_id:  # one may have been made since
            yield _work(by_id[found.route_id], found.step, found.count, idle=max(0.0, idle))


def _unsorted_work(routes: list[Route], events: Mapping[int, UnsortedEvents]) -> Iterator[Work]:
    """Events as the jobs they will most likely become."""
    for route in routes:
        for side, step in FLOWS[route.flow].first.items():
            if found := events.get(route.portal_id_of(side)):
                yield _work(route, step, found.count)


def _work(route: Route, step: str, count: int, *, idle: float = 0.0) -> Work:
    flow = FLOWS[route.flow]
    path = tuple(flow.steps[name] for name in flow.usual_path(route, step))
    portals: dict[Any, str] = {"source": route.source.slug, "target": _target(route)}
    return Work(route.slug, path, count, portals=portals, idle=idle)


def _target(route: Route) -> str:
    return route.target.slug if route.target else ""  # a flow may end in our own tables


def _forecast(
    route: Route, works: list[Work], loads: Mapping[str, PortalLoad], rates: Mapping[str, Rate]
) -> Forecast:
    if route.is_paused and any(work.route == route.slug for work in works):
        return Forecast(None, _("Route %(route)s is paused.") % {"route": route.slug})
    return forecast(route.slug, works, loads, rates)


def _portal(
    portal: Portal, status: PortalStatus, load: PortalLoad, events: Mapping[int, UnsortedEvents]
) -> PortalSummary:
    return PortalSummary(
        slug=portal.slug,
        state=status.state,
        trouble=status.trouble,
        requests_per_minute=portal.requests_per_minute,
        requests_left=load.requests(),
        next_request=status.rate.wait,
        blocked=dict(status.rate.blocked),
        unsorted=events[portal.pk].count if portal.pk in events else 0,
    )
