"""Settling: one transaction that writes what a request brought, for every job still ours.

Jobs with equal verdicts share one UPDATE, so that a request of 50 deals costs a handful of statements.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.db.bulk import insert_each, update_each
from sync.db.transactions import atomically
from sync.engine.batch import Load
from sync.engine.notifications import TELLING, tell
from sync.engine.outcomes import Ruling, Verdict
from sync.errors import NeedsStaff
from sync.flows.contract import JobNotice
from sync.models import Attachment, Attempt, Job, JobData, Link
from sync.queue import wakeup

JOBS_AT_ONCE = 50
"""Settled in one transaction: while it lasts, SQLite takes in no webhook. As many as a request can write."""


def settle(load: Load, *, before: Callable[[], None] | None = None) -> None:
    """Write the rulings, links, cargo and attempts of a load; `before` makes the rulings, inside.

    A request that reads speaks for thousands of jobs: they are settled part by part. Jobs whose lease another
    worker has taken over are left alone: their look-up will find what we did.
    """
    jobs = load.parcel.jobs
    for start in range(0, len(jobs), JOBS_AT_ONCE):
        load.parcel.jobs = jobs[start : start + JOBS_AT_ONCE]
        verdicts = atomically(partial(_settle_part, load, before, size=len(jobs)))
        load.parcel.touched_links.clear()
        _wake(verdicts, here=jobs[0].portal_id)


def _settle_part(load: Load, before: Callable[[], None] | None, *, size: int) -> list[Verdict]:
    held = Job.objects.still_held([job.pk for job in load.parcel.jobs], holder=load.holder)
    load.parcel.jobs = [job for job in load.parcel.jobs if job.pk in held]
    if before:
        before()
    _save_links(load)
    rulings = {job.pk: load.rulings[job.pk] for job in load.parcel.jobs}
    _save_data(load, rulings)
    update_each([job for job in load.parcel.jobs if job.target_id != held[job.pk]], ["target_id"])
    _save_attempts(load, rulings, size=size)
    _save_states(load, rulings)
    _tell(load, rulings)
    return [ruling.verdict for ruling in rulings.values()]


def _save_links(load: Load) -> None:
    parcel = load.parcel
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
            _refuse_taken(load, job)
        update_each(list(parcel.touched_links.values()), columns)


def _refuse_taken(load: Load, job: Job) -> None:
    """A portal that was restored or reset gives IDs a second time: that is this job's trouble alone."""
    link = load.parcel.link(job)
    if link is None or link.pk not in load.parcel.touched_links or not link.target_id:
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
    load.refuse(job, NeedsStaff(message % words))
    del load.parcel.touched_links[link.pk]
    job.target_id = ""


def _save_data(load: Load, rulings: dict[int, Ruling]) -> None:
    open_ones = {pk for pk, ruling in rulings.items() if ruling.verdict.state != Job.State.DONE}
    contents = {pk: content for pk, content in load.parcel.new_data.items() if pk in open_ones}
    if contents:
        JobData.store(contents)
    delivered = [pk for pk in rulings if pk not in open_ones]
    if delivered:
        JobData.objects.filter(job_id__in=delivered).delete()
        Attachment.objects.filter(job_id__in=delivered).delete()


def _save_attempts(load: Load, rulings: dict[int, Ruling], *, size: int) -> None:
    same = {
        "request_id": load.request_id,
        "parcel_size": size,
        "started_at": load.parcel.now,
        "ended_at": timezone.now(),
    }
    tries = ((job, rulings[job.pk].tried) for job in load.parcel.jobs)
    rows = [
        {
            **same,
            "job_id": job.pk,
            "step": job.step,
            "outcome": tried.outcome,
            "code": tried.code,
            "http_status": tried.status,
            "message": tried.message,
        }
        for job, tried in tries
    ]
    insert_each(Attempt, rows)


def _save_states(load: Load, rulings: dict[int, Ruling]) -> None:
    by_verdict: dict[Verdict, list[int]] = {}
    for pk, ruling in rulings.items():
        by_verdict.setdefault(ruling.verdict, []).append(pk)
    for verdict, ids in by_verdict.items():
        Job.objects.settle(ids, holder=load.holder, **verdict.changes())
    lanes = [job.lane for job in load.parcel.jobs if not rulings[job.pk].verdict.is_open]
    if lanes:
        for portal_id in Job.objects.promote(lanes, now=load.parcel.now):
            wakeup.wake(portal_id)


def _tell(load: Load, rulings: dict[int, Ruling]) -> None:
    """Flows that answer whoever asked do so here: the answer is stored with the state it tells of."""
    message = []
    for job in load.parcel.jobs:
        if job.route.flow not in TELLING:
            continue
        verdict, tried = rulings[job.pk].verdict, rulings[job.pk].tried
        news = JobNotice(
            job, verdict.state, job.attempts, tried.outcome, failure=verdict.failure, reason=tried.message
        )
        message.append((job.route.flow, news))
    tell(message)


def _wake(verdicts: list[Verdict], *, here: int) -> None:
    """A bell for each portal whose next step is due, at the earliest moment.

    Not for `here`, the one that was called: whoever called it looks once more before leaving.
    """
    moments: dict[int, datetime] = {}
    for verdict in verdicts:
        if verdict.is_open and verdict.due_at and verdict.portal_id != here:
            known = moments.get(verdict.portal_id, verdict.due_at)
            moments[verdict.portal_id] = min(known, verdict.due_at)
    for portal_id, due_at in moments.items():
        wakeup.wake(portal_id, wait=max(0.0, (due_at - timezone.now()).total_seconds()))
