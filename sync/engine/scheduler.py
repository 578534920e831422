"""What is due on one portal, and what the next request shall carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sync import inbox
from sync.flows import FLOWS
from sync.models import Due, Job, MethodBudget, Portal
from sync.policies.clock import Clock

LOOK_EVERY = 0.2
"""Seconds a look serves, at what is due or to be sorted: a portal may get many requests a second."""

LOOK_SHARE = 20
"""A look that takes long serves so many times as long, so that it costs a twentieth of the time at most."""

SORTED_AHEAD = 2500
"""Events sorted before a request goes: as many as it can read. More are sorted while it is under way."""


@dataclass(frozen=True)
class Selection:
    """What the next request carries: one step, and jobs of which routes."""

    flow: str
    step: str
    routes: tuple[int, ...]


def select(due: list[Due]) -> Selection | None:
    """The most urgent step: live work before backfill, what others wait for, then what has waited longest.

    All routes of the flow that have jobs at that step go along.
    """
    if not due:
        return None
    due = sorted(due, key=_urgency)
    first = due[0]
    same = [one for one in due if (one.flow, one.step) == (first.flow, first.step)]
    return Selection(
        flow=first.flow, step=first.step, routes=tuple(dict.fromkeys(one.route_id for one in same))
    )


def _urgency(due: Due) -> tuple[int, bool, datetime]:
    return due.priority, not FLOWS[due.flow].steps[due.step].blocks_others, due.since


def share_out(routes: tuple[int, ...], max_jobs: int) -> dict[int, int]:
    """How many jobs of each route one request may hold: even shares, the rest to the most urgent."""
    if max_jobs < len(routes):
        return dict.fromkeys(routes[:max_jobs], 1)
    each, rest = divmod(max_jobs, len(routes))
    return {route: each + (rest if number == 0 else 0) for number, route in enumerate(routes)}


class Scheduler:
    """What is due on one portal, looked at a few times a second."""

    def __init__(self, portal: Portal, clock: Clock) -> None:
        self.portal, self.clock = portal, clock
        self._due: list[Due] = []
        self._good_until = 0.0
        self._sorted = 0
        self._all_sorted_until = 0.0

    def sort_some(self) -> bool:
        """Sort stored events into jobs; whether more should be sorted before the next request."""
        if self.clock.now() < self._all_sorted_until:
            return False
        count = inbox.sort(self.portal)
        self._all_sorted_until = 0.0 if count else self.clock.now() + LOOK_EVERY
        self._sorted += count
        if count == inbox.EVENTS_AT_ONCE and self._sorted < SORTED_AHEAD:
            return True
        self._sorted = 0
        return False

    def select(self) -> Selection | None:
        """What the next request shall hold; methods whose time budget is spent are left out."""
        if not self._due or self.clock.now() >= self._good_until:
            self._look()
        blocked = MethodBudget.blocked(self.portal, now=self.clock.now())
        return select([due for due in self._due if FLOWS[due.flow].steps[due.step].method not in blocked])

    def drop(self, selection: Selection) -> None:
        """There are no more jobs at this step: others have taken them since the last look."""
        self._due = [due for due in self._due if (due.flow, due.step) != (selection.flow, selection.step)]

    def look_again(self) -> None:
        """Jobs have moved on without a request: look anew before the next selection."""
        self._due = []

    def _look(self) -> None:
        began = self.clock.now()
        self.portal.refresh_from_db()
        is_open = not self.portal.is_paused
        self._due = Job.objects.due_by_step(self.portal.pk, now=self.clock.moment()) if is_open else []
        self._good_until = began + max(LOOK_EVERY, (self.clock.now() - began) * LOOK_SHARE)
