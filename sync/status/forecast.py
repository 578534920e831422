"""When the backlog will be done: from the requests still to send and the pace of the portals.

Numbers in, numbers out: no clock, no database. A forecast assumes that portals answer at once and that
records need every usual step, so it is neither a promise nor a bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sync.flows.contract import Side, Step

ANSWER_SECONDS = 1.0
"""Rough duration of the last request: while work is left, the forecast is never zero."""


@dataclass(frozen=True)
class Work:
    """`count` jobs of one route; `path`: the steps before them; `idle`: seconds until the last is due."""

    route: str
    path: tuple[Step, ...]
    count: int
    portals: Mapping[Side, str]
    idle: float = 0.0


@dataclass(frozen=True)
class Rate:
    """How fast a portal takes requests: seconds between them, seconds until the first may go.

    `shrunk`: how often its parcels are halved; `blocked`: vendor method → seconds until it may be called;
    `obstacle`: why no forecast is possible ("" = the portal takes requests).
    """

    interval: float
    wait: float = 0.0
    shrunk: int = 0
    blocked: Mapping[str, float] = field(default_factory=dict)
    obstacle: str = ""


@dataclass(frozen=True)
class Forecast:
    """Seconds until no work is left; None when that is unknown, with the reason."""

    seconds: float | None = 0.0
    reason: str = ""


@dataclass
class PortalLoad:
    """The jobs still to be sent to one portal, by step and route."""

    shrunk: int = 0
    jobs: dict[int, dict[str, int]] = field(default_factory=dict)
    steps: dict[int, Step] = field(default_factory=dict)

    def add(self, work: Work, step: Step) -> None:
        """Add jobs that will pass the step."""
        self.steps[id(step)] = step
        by_route = self.jobs.setdefault(id(step), {})
        by_route[work.route] = by_route.get(work.route, 0) + work.count

    def routes(self) -> set[str]:
        """Routes with work for this portal."""
        return {route for by_route in self.jobs.values() for route in by_route}

    def methods(self, route: str) -> set[str]:
        """Vendor methods that the route's work will call here."""
        return {self.steps[key].method for key, by_route in self.jobs.items() if route in by_route}

    def requests(self, route: str = "") -> int:
        """HTTP requests of one route, or of all together (they share parcels)."""
        return sum(
            math.ceil((by_route.get(route, 0) if route else sum(by_route.values())) / self._max_jobs(key))
            for key, by_route in self.jobs.items()
        )

    def requests_until(self, route: str) -> int:
        """Requests sent until the route is through, when the portal serves its routes in turn."""
        own = self.requests(route)
        in_turn = sum(min(own, self.requests(other)) for other in self.routes())
        return min(in_turn, self.requests())

    def _max_jobs(self, key: int) -> int:
        return max(1, self.steps[key].max_jobs >> self.shrunk)


def portal_loads(works: Iterable[Work], rates: Mapping[str, Rate]) -> dict[str, PortalLoad]:
    """What will be sent to each portal: the jobs' present steps, and those that usually follow."""
    loads = {slug: PortalLoad(shrunk=rate.shrunk) for slug, rate in rates.items()}
    for work in works:
        for step in work.path:
            loads[work.portals[step.calls]].add(work, step)
    return loads


def forecast(
    route: str, works: Iterable[Work], loads: Mapping[str, PortalLoad], rates: Mapping[str, Rate]
) -> Forecast:
    """When the route will have no work left."""
    waits = [work.idle for work in works if work.route == route]
    for portal, load in loads.items():
        if route not in load.routes():
            continue
        rate = rates[portal]
        if rate.obstacle:
            return Forecast(None, rate.obstacle)
        last = rate.wait + (load.requests_until(route) - 1) * rate.interval
        waits.append(last + ANSWER_SECONDS)
        waits += [rate.blocked.get(method, 0.0) for method in load.methods(route)]
    return Forecast(max(waits, default=0.0))


def slowest(forecasts: Iterable[Forecast]) -> Forecast:
    """The forecast of all routes together: that of the last to finish, unknown as soon as one is."""
    last = Forecast()
    for one in forecasts:
        if one.seconds is None:
            return one
        last = max(last, one, key=lambda each: each.seconds or 0.0)
    return last
