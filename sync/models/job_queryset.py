"""The queue's own questions to the Job table: what is due, who gets it, who is next in a lane."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypeVar

from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Min

from sync.db.transactions import atomically
from sync.models.route import Route

JobRow = TypeVar("JobRow", bound=models.Model)
"""The model Job, which names this queryset as its own and so cannot be imported here."""
CHUNK = 1000
"""Rows changed in one transaction by staff's bulk actions."""

NOT_FOR_STEPS = ("head_of", "due_at", "lease_until", "failure", "note", "folded", "created_at", "finished_at")
"""Columns of a job that no step asks for; half of its cost is to turn columns into values."""


@dataclass(frozen=True)
class Due:
    """Jobs of one route at one step on one portal that are due: how urgent, since when."""

    flow: str
    route_id: int
    step: str
    priority: int
    since: datetime


def _mark_claimed(jobs: Iterable[Any], *, holder: str) -> None:
    """Set what the UPDATE has just written: the rows were locked, so there is no need to read them again."""
    for job in jobs:
        job.state, job.holder, job.attempts = "running", holder, job.attempts + 1


def _share_routes(jobs: Iterable[Any]) -> None:
    """Give the jobs one object for each route: a join would decrypt its portals' secrets and have its
    mappings read again for every job. Portals are read when a step names them, which few do.
    """
    routes = Route.objects.in_bulk({job.route_id for job in jobs})
    for job in jobs:
        job._meta.get_field("route").set_cached_value(job, routes[job.route_id])


class JobQuerySet(models.QuerySet[JobRow]):
    """Verbs over many jobs. Every change of state is a conditional UPDATE.

    A job has a holder exactly while it runs. Jobs that are known by ID are asked for their holder, not for
    their state: of an index over states SQLite always expects ten rows, so it would rather read all waiting
    jobs there than look up fifty IDs.
    """

    def due(self, portal_id: int, *, now: datetime) -> Self:
        """Jobs that are due on the portal. Whether there is one costs one look, however many there are."""
        return self.filter(state="waiting", portal_id=portal_id, due_at__lte=now, route__is_paused=False)

    def due_by_step(self, portal_id: int, *, now: datetime) -> list[Due]:
        """What is due on the portal, by route, step and priority; one query over one index."""
        rows = (
            self.due(portal_id, now=now)
            .values("route_id", "step", "priority")
            .annotate(flow=F("route__flow"), since=Min("due_at"))
            .order_by()
        )
        return [Due(**row) for row in rows]

    def next_due_at(self, portal_id: int) -> datetime | None:
        """When the portal's earliest waiting job is due."""
        waiting = self.filter(
            state="waiting", portal_id=portal_id, due_at__isnull=False, route__is_paused=False
        )
        earliest: datetime | None = waiting.aggregate(first=Min("due_at"))["first"]
        return earliest

    def claim(
        self,
        shares: dict[int, int],
        *,
        portal_id: int,
        step: str,
        now: datetime,
        until: datetime,
        holder: str,
    ) -> list[JobRow]:
        """Take the oldest due jobs of each route, as many as its share, under a lease.

        `shares`: route ID → most jobs. Other workers skip what this one takes (SKIP LOCKED where the
        database has it; SQLite lets one writer in at a time). The attempt is counted here, so that a job
        which kills its worker does not live for ever.
        """

        def take() -> list[JobRow]:
            jobs: list[JobRow] = []
            due = self.filter(state="waiting", portal_id=portal_id, step=step, due_at__lte=now)
            due = due.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
            for route_id, share in shares.items():
                oldest = due.filter(route_id=route_id).order_by("priority", "due_at", "id")
                jobs += oldest.defer(*NOT_FOR_STEPS)[:share]
            if jobs:
                self.filter(pk__in=[job.pk for job in jobs]).update(
                    state="running", holder=holder, lease_until=until, attempts=F("attempts") + 1
                )
            return jobs

        jobs = atomically(take)
        if jobs:
            _mark_claimed(jobs, holder=holder)
            _share_routes(jobs)
        return jobs

    def still_held(self, ids: Iterable[int], *, holder: str) -> dict[int, str]:
        """Which of the jobs this worker still holds, with their stored target IDs; locks them until the
        transaction ends.
        """
        held = self.filter(pk__in=list(ids), holder=holder).select_for_update()
        return dict(held.values_list("pk", "target_id"))

    def settle(self, ids: list[int], *, holder: str, **changes: Any) -> int:
        """Give held jobs back in their new state; how many were still held."""
        held = self.filter(pk__in=ids, holder=holder)
        return held.update(holder="", lease_until=None, **changes)

    def requeue(self, *, now: datetime) -> int:
        """Failed or cancelled → waiting, at the step where they stopped; how many changed."""
        ended = self.filter(state__in=("failed", "cancelled"))
        return self._reopen_or_end(
            ended, now=now, state="waiting", attempts=0, failure="", note="", due_at=None, finished_at=None
        )

    def cancel(self, *, now: datetime) -> int:
        """Waiting or failed → cancelled; running ones stay; how many changed."""
        open_ones = self.filter(state__in=("waiting", "failed"))
        return self._reopen_or_end(
            open_ones, now=now, state="cancelled", failure="", head_of=None, due_at=None, finished_at=now
        )

    def promote(self, lanes: Iterable[str], *, now: datetime) -> set[int]:
        """Let the oldest waiting job of each lane run, where no other is at the head; portals with work now.

        Everything is looked up by lane: of a million jobs nearly all have no `head_of`, which makes SQLite
        take the index over it for worthless once it has been analyzed, and read the whole table instead.
        """
        rows = type(self)(self.model, using=self.db)
        found = rows.filter(lane__in=set(lanes), state__in=("waiting", "running")).order_by("-id")
        oldest: dict[str, tuple[int, int]] = {}
        taken: set[str] = set()
        for lane, pk, portal_id, head_of in found.values_list("lane", "pk", "portal_id", "head_of"):
            if head_of:
                taken.add(lane)
            else:
                oldest[lane] = (pk, portal_id)  # the last one seen
        if free := [pk for lane, (pk, _) in oldest.items() if lane not in taken]:
            rows._lead_all(free, now=now)
        return {portal_id for _, portal_id in oldest.values()}

    def _lead_all(self, ids: list[int], *, now: datetime) -> None:
        try:
            with transaction.atomic():
                self._lead(ids, now=now)
        except IntegrityError:  # one of the lanes got its head from another worker just now
            for pk in ids:
                with suppress(IntegrityError), transaction.atomic():
                    self._lead([pk], now=now)

    def _lead(self, ids: list[int], *, now: datetime) -> None:
        self.filter(pk__in=ids, state="waiting", head_of=None).update(head_of=F("lane"), due_at=now)

    def _reopen_or_end(self, rows: models.QuerySet[JobRow], *, now: datetime, **changes: Any) -> int:
        changed = 0
        found = list(rows.values_list("pk", "lane"))
        for start in range(0, len(found), CHUNK):
            part = dict(found[start : start + CHUNK])
            with transaction.atomic():
                changed += rows.filter(pk__in=part).update(**changes)
                self.promote(part.values(), now=now)
        return changed

    def expired(self, *, now: datetime) -> Self:
        """Jobs whose worker has not come back in time."""
        return self.filter(state="running", lease_until__lt=now)
