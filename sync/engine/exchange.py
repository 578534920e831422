"""One request: what a parcel asks, and what the answer means for each of its jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from django.db import Error
from django.utils.translation import gettext as _

from sync.connectors.types import Answer, Command, Reply
from sync.db.transactions import atomically
from sync.engine.batch import Errand, Load, Request
from sync.engine.outcomes import Ruling
from sync.engine.settlement import settle
from sync.errors import OutcomeUnknown, SyncError
from sync.flows.contract import Outcome, Parcel, Step
from sync.gateway.calls import Response, note
from sync.models import Job, Pace, Portal
from sync.policies.rate_limit import ON_THE_WAY


def prepare(portal: Portal, pace: Pace, load: Load, step: Step) -> Errand | None:
    """What the load asks of its portal; None when that is nothing, and the load is settled."""
    _load(load.parcel, step.prepare)
    request = _request(load, step)
    if not request.commands:
        settle(load)
        return None
    now = time.time()
    if now - load.parcel.now.timestamp() > ON_THE_WAY:
        pace.count_late_one(portal.limits, now=now)
    return Errand(portal, pace, load, step, request)


def receive(errand: Errand, heard: Response) -> None:
    """Settle the load by what came back; whatever the portal did, every job gets its ruling."""
    load = errand.load
    try:
        reply = note(errand.portal, errand.pace, heard)
    except Error:  # our database is away, though the request ran: the lease runs out, then we look
        raise
    except Exception as error:  # noqa: BLE001  # the ladder knows ours and calls the rest a bug
        load.fail(error)
        settle(load)
        return
    settle(load, before=partial(_settle_answers, load, errand.step, errand.request, _readers(errand, reply)))


def _load(parcel: Parcel, work: Callable[[Parcel], None] | None) -> None:
    """Read what the parcel needs and do the step's own work; only to write is a transaction begun."""
    if work is None:
        parcel.load()
        return

    def load_and_write() -> None:
        parcel.load()
        work(parcel)

    atomically(load_and_write)


def _request(load: Load, step: Step) -> Request:
    """The request of a parcel; jobs that need none get their ruling."""
    request = Request()
    for jobs in _grouped(load.parcel.jobs, step.group):
        prepare = partial(step.request, load.parcel, jobs)
        said = load.judge(jobs[0]).attempt(prepare)
        if isinstance(said, Command | tuple):
            request.add(jobs, said)
        elif isinstance(said, Ruling):  # an error: each job by its own count of attempts
            for job in jobs:
                load.rule(job, prepare)  # type: ignore[arg-type]  # it raises again
        else:
            for job in jobs:
                load.rulings[job.pk] = load.judge(job).decide(said)
    return request


def _settle_answers(
    load: Load, step: Step, request: Request, readers: Mapping[str, Callable[[], Any]]
) -> None:
    """What the answers mean for each job that is still ours; runs inside the settling transaction."""
    for job in load.parcel.jobs:
        if job.pk in request.group_of:
            read = readers[request.group_of[job.pk]]
            load.rule(job, partial(_outcome_of, step, load.parcel, job, read))


def _readers(errand: Errand, reply: Reply) -> dict[str, Callable[[], Any]]:
    """How to read the answers of each group: once, however many jobs they speak for."""
    readers: dict[str, Callable[[], Any]] = {}
    for name, keys in errand.request.groups.items():
        answers = [reply.answers.get(key) or _missing() for key in keys]
        is_one = keys == [name]
        readers[name] = cache(partial(_read, errand.step, answers[0]) if is_one else partial(list, answers))
    return readers


def _missing() -> Answer:
    return Answer(error=OutcomeUnknown(_("The portal's answer does not mention this command.")))


def _read(step: Step, answer: Answer) -> Any:
    return step.read(answer.result())


def _outcome_of(step: Step, parcel: Parcel, job: Job, read: Callable[[], Any]) -> Outcome:
    try:
        value = read()
    except SyncError as error:
        outcome = step.ignore_error(error)
        if outcome is None:
            raise
        return outcome
    return step.on_response(parcel, job, value)


def _grouped(jobs: list[Job], size: int) -> Iterator[list[Job]]:
    """Jobs of one route together, at most `size`: what one command may speak for."""
    by_route: dict[int, list[Job]] = {}
    for job in jobs:
        by_route.setdefault(job.route_id, []).append(job)
    for same in by_route.values():
        for start in range(0, len(same), size):
            yield same[start : start + size]
