"""Settling: one transaction that writes what a request brought, for every job still ours.

Jobs with equal changes share one UPDATE, so that a request of 50 deals costs a handful of statements.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sync.db.bulk import insert_each, update_each
from sync.db.transactions import atomically
from sync.engine.batch import ClaimedParcel
from sync.engine.notifications import NOTIFIED_FLOWS, notify
from sync.engine.outcomes import Decision, JobChange
from sync.errors import NeedsStaff
from sync.flows.contract import JobNotice
from sync.models import Attachment, Attempt, Job, JobData, Link
from sync.queue import wakeup

JOBS_AT_ONCE = 50
"""Settled in one transaction: while it lasts, SQLite takes in no webhook. As many as a request can write."""


def settle(claimed: ClaimedParcel, *, before: Callable[[], None] | None = None) -> None:
    """Write decisions, links, data and attempts of a claimed parcel; `before` makes the decisions, inside.

    A request that reads speaks for thousands of jobs: they are settled part by part. Jobs whose lease another
    worker has taken over are left alone: their look-up will find what we did.
    """
    jobs = claimed.parcel.jobs
    for start in range(0, len(jobs), JOBS_AT_ONCE):
        claimed.parcel.jobs = jobs[start : start + JOBS_AT_ONCE]
        changes = atomically(partial(_settle_part, claimed, before, size=len(jobs)))
        claimed.parcel.touched_links.clear()
        _wake(changes, here=jobs[0].portal_id, now=claimed.clock.moment())


def _settle_part(claimed: ClaimedParcel, before: Callable[[], None] | None, *, size: int) -> list[JobChange]:
    held = Job.objects.still_held([job.pk for job in claimed.parcel.jobs], holder=claimed.holder)
    claimed.parcel.jobs = [job for job in claimed.parcel.jobs if job.pk in held]
    if before:
        before()
    _save_links(claimed)
    decisions = {job.pk: claimed.decisions[job.pk] for job in claimed.parcel.jobs}
    _save_data(claimed, decisions)
    update_each([job for job in claimed.parcel.jobs if job.target_id != held[job.pk]], ["target_id"])
    _save_attempts(claimed, decisions, size=size)
    _save_states(claimed, decisions)
    _notify(claimed, decisions)
    return [decision.change for decision in decisions.values()]


def _save_links(claimed: ClaimedParcel) -> None:
    parcel = claimed.parcel
    for link in parcel.touched_links.values():
        link.updated_at = parcel.now
    columns = [*sorted(parcel.touched_columns), "updated_at"]
    if "target_id" not in columns:
        update_each(list(parcel.touched_links.values()), columns)
        return
    try:
        with transaction.atomic():
            update_each(list(parcel.touched_links.values()), columns)
    except IntegrityError:
        for job in parcel.jobs:
            _refuse_taken(claimed, job)
        update_each(list(parcel.touched_links.values()), columns)


def _refuse_taken(claimed: ClaimedParcel, job: Job) -> None:
    """A portal that was restored or reset gives IDs a second time: that is this job's trouble alone."""
    link = claimed.parcel.link(job)
    if link is None or link.pk not in claimed.parcel.touched_links or not link.target_id:
        return
    others = Link.objects.filter(route=link.route_id, entity=link.entity, target_id=link.target_id)
    other = others.exclude(pk=link.pk).first()
    if other is None:
        return
    words = {
        "route": job.route.slug,
        "portal": job.route.target,
        "source": job.source_id,
        "id": link.target_id,
        "other": other.source_id,
    }
    message = _(
        "Route %(route)s: %(portal)s gave the new record of %(source)s the ID %(id)s, which is mapped to "
        "%(other)s already. Was the portal restored or emptied? Delete or correct the mapping of %(other)s, "
        "then press Retry."
    )
    claimed.decide(job, NeedsStaff(message % words))
    del claimed.parcel.touched_links[link.pk]
    job.target_id = ""


def _save_data(claimed: ClaimedParcel, decisions: dict[int, Decision]) -> None:
    open_ones = {pk for pk, decision in decisions.items() if decision.change.state != Job.State.DONE}
    contents = {pk: content for pk, content in claimed.parcel.new_data.items() if pk in open_ones}
    if contents:
        JobData.store(contents)
    delivered = [pk for pk in decisions if pk not in open_ones]
    if delivered:
        JobData.objects.filter(job_id__in=delivered).delete()
        Attachment.objects.filter(job_id__in=delivered).delete()


def _save_attempts(claimed: ClaimedParcel, decisions: dict[int, Decision], *, size: int) -> None:
    same = {
        "request_id": claimed.request_id,
        "parcel_size": size,
        "started_at": claimed.parcel.now,
        "ended_at": claimed.clock.moment(),
    }
    tries = ((job, decisions[job.pk].result) for job in claimed.parcel.jobs)
    rows = [
        {
            **same,
            "job_id": job.pk,
            "step": job.step,
            "outcome": result.outcome,
            "code": result.code,
            "http_status": result.status,
            "message": result.message,
        }
        for job, result in tries
    ]
    insert_each(Attempt, rows)


def _save_states(claimed: ClaimedParcel, decisions: dict[int, Decision]) -> None:
    by_change: dict[JobChange, list[int]] = {}
    for pk, decision in decisions.items():
        by_change.setdefault(decision.change, []).append(pk)
    for change, ids in by_change.items():
        Job.objects.settle(ids, holder=claimed.holder, **change.columns())
    lanes = [job.lane for job in claimed.parcel.jobs if not decisions[job.pk].change.is_open]
    if lanes:
        for portal_id in Job.objects.promote(lanes, now=claimed.parcel.now):
            wakeup.wake(portal_id)


def _notify(claimed: ClaimedParcel, decisions: dict[int, Decision]) -> None:
    """Flows that answer whoever asked do so here: the answer is stored with the state it tells of."""
    notices = []
    for job in claimed.parcel.jobs:
        if job.route.flow not in NOTIFIED_FLOWS:
            continue
        change, result = decisions[job.pk].change, decisions[job.pk].result
        notice = JobNotice(
            job, change.state, job.attempts, result.outcome, failure=change.failure, reason=result.message
        )
        notices.append((job.route.flow, notice))
    notify(notices)


def _wake(changes: list[JobChange], *, here: int, now: datetime) -> None:
    """A wake-up for each portal whose next step is due, at the earliest moment.

    Not for `here`, the one that was called: whoever called it looks once more before leaving.
    """
    moments: dict[int, datetime] = {}
    for change in changes:
        if change.is_open and change.due_at and change.portal_id != here:
            known = moments.get(change.portal_id, change.due_at)
            moments[change.portal_id] = min(known, change.due_at)
    for portal_id, due_at in moments.items():
        wakeup.wake(portal_id, wait=max(0.0, (due_at - now).total_seconds()))
