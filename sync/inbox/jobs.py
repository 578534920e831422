"""Making jobs, or folding into one of the lane that still waits."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils import timezone

from sync.db.bulk import insert_each
from sync.db.transactions import atomically
from sync.flows import FLOWS
from sync.flows.contract import Flow, JobSpec
from sync.models import Event, Job, Route, Slot
from sync.queue import wakeup


def queue(
    route: Route,
    source_ids: Iterable[str],
    *,
    priority: int = Job.BACKFILL,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Make jobs for records of the source portal without a webhook; how many were made or joined.

    `params`: parameters of each of the new jobs.
    """
    flow = FLOWS[route.flow]
    wanted = (flow.backfill(source_id) for source_id in dict.fromkeys(source_ids))
    specs = [replace(spec, params={**spec.params, **(params or {})}) for spec in wanted]

    def work() -> int:
        Slot.lock_sorting(route.source_id)
        queue_jobs(route, flow, [(spec, None) for spec in specs], priority=priority)
        return len(specs)

    return atomically(work)


def queue_jobs(
    route: Route, flow: Flow, wanted: list[tuple[JobSpec, Event | None]], *, priority: int
) -> None:
    """Make a job for each spec, or let it join the newest job of its lane that has not written yet."""
    lanes = [Job.lane_of(route.pk, spec.kind, spec.source_id, target_id=spec.target_id) for spec, _ in wanted]
    newest, heads = _open_jobs(lanes)
    fresh: list[Job] = []
    for lane, (spec, event) in zip(lanes, wanted, strict=True):
        job = newest.get(lane)
        if job is not None and _fold(job, route, spec, event, priority=priority):
            continue
        job = _job(route, flow, spec, event, lane=lane, is_head=lane not in heads)
        job.priority = priority
        heads.add(lane)
        newest[lane] = job
        fresh.append(job)
    insert_each(Job, [vars(job) for job in fresh])
    for portal_id in Counter(job.portal_id for job in fresh):
        wakeup.wake(portal_id)


def _open_jobs(lanes: list[str]) -> tuple[dict[str, Job], set[str]]:
    """The newest open job of each lane, and the lanes that have a head.

    The rows are locked: a head that ends meanwhile waits, and then sees the followers we add.
    """
    rows = Job.objects.filter(lane__in=set(lanes), state__in=Job.OPEN).order_by("id").select_for_update()
    found = list(rows)
    return {job.lane: job for job in found}, {job.head_of for job in found if job.head_of}


def _fold(job: Job, route: Route, spec: JobSpec, event: Event | None, *, priority: int) -> bool:
    """Whether the event joined `job`: parameters merge, later wins, and the record is read anew."""
    flow = FLOWS[route.flow]
    if job.state != Job.State.WAITING or not flow.steps[job.step].folds:
        return False
    job.params = flow.merge(job.params, event.params if event else {})
    job.folded += 1
    job.priority = min(job.priority, priority)
    job.step = spec.step
    job.portal_id = route.portal_id_of(flow.steps[spec.step].calls)
    if job.head_of:
        job.due_at = timezone.now()
    if event:
        event.outcome, event.note = Event.Outcome.FOLDED, ""
    if job.pk is not None:
        job.attempts = 0
        fields = ["params", "folded", "priority", "step", "portal", "due_at", "attempts"]
        job.save(update_fields=fields)  # the row is locked and waiting: nobody else changes it
    return True


def _job(route: Route, flow: Flow, spec: JobSpec, event: Event | None, *, lane: str, is_head: bool) -> Job:
    return Job(
        route_id=route.pk,
        kind=spec.kind,
        source_id=spec.source_id,
        target_id=spec.target_id,
        lane=lane,
        head_of=lane if is_head else None,
        portal_id=route.portal_id_of(flow.steps[spec.step].calls),
        step=spec.step,
        due_at=timezone.now() if is_head else None,
        params={**spec.params, **(event.params if event else {})},
        event_id=event.pk if event else None,
        created_at=event.received_at if event else timezone.now(),
    )
