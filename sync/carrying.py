"""One request: what a parcel asks, what comes back, and what that means for each of its jobs."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, NoReturn

from sync.connectors.types import Answer, Command, Reply
from sync.errors import NeedsStaff, OutcomeUnknown, SyncError, Throttled, TryLater
from sync.flows.steps import Outcome, Parcel, Step
from sync.models import Job, MethodBudget, Pace, Portal
from sync.models.atomic import atomically
from sync.portals import client_of
from sync.settling import settle
from sync.verdict import Judge, Ruling

logger = logging.getLogger(__name__)

THROTTLED_WAIT = 2.0
"""Seconds to leave a portal alone after "too many requests" when it did not tell how long."""

BUDGET_SECONDS = 400.0
"""Of a method's time budget in ten minutes (the vendor blocks at 420-480) we use this much."""


@dataclass
class Load:
    """A claimed parcel on its way: its step, who holds it, and the rulings so far."""

    parcel: Parcel
    holder: str
    is_probe: bool = False
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    rulings: dict[int, Ruling] = field(default_factory=dict)

    def judge(self, job: Job) -> Judge:
        """Who decides for this job."""
        return Judge(job, self.parcel.now, is_probe=self.is_probe)

    def rule(self, job: Job, work: Callable[[], Outcome]) -> None:
        """Decide what becomes of the job by what `work` returns or raises."""
        judge = self.judge(job)
        said = judge.attempt(work)
        self.rulings[job.pk] = said if isinstance(said, Ruling) else judge.decide(said)

    def fail(self, error: Exception) -> None:
        """The same error for every job that has no ruling yet."""
        for job in self.parcel.jobs:
            if job.pk not in self.rulings:
                self.rule(job, partial(_raise, error))


@dataclass(frozen=True)
class Request:
    """The commands of one HTTP request, and the jobs each one speaks for."""

    commands: dict[str, Command] = field(default_factory=dict)
    jobs: dict[str, list[Job]] = field(default_factory=dict)


def carry(portal: Portal, pace: Pace, load: Load, step: Step) -> None:
    """Ask, send, hear and settle; whatever the portal does, every job gets its ruling."""
    atomically(partial(_prepare, load.parcel, step))
    request = _ask(load, step)
    if not request.commands:
        pace.refund(portal.limits)
        settle(load)
        return
    reply = _send(portal, pace, load, request)
    settle(load, before=partial(_hear, load, step, request, reply) if reply else None)


def _prepare(parcel: Parcel, step: Step) -> None:
    parcel.load()
    step.prepare(parcel)


def _ask(load: Load, step: Step) -> Request:
    """The request of a parcel; jobs that need none get their ruling."""
    request = Request()
    for jobs in _grouped(load.parcel.jobs, step.group):
        ask = partial(step.ask, load.parcel, jobs)
        said = load.judge(jobs[0]).attempt(ask)
        if isinstance(said, Command):
            key = f"j{jobs[0].pk}"
            request.commands[key], request.jobs[key] = said, jobs
        elif isinstance(said, Ruling):  # an error: each job by its own count of attempts
            for job in jobs:
                load.rule(job, ask)  # type: ignore[arg-type]  # it raises again
        else:
            for job in jobs:
                load.rulings[job.pk] = load.judge(job).decide(said)
    return request


def _send(portal: Portal, pace: Pace, load: Load, request: Request) -> Reply | None:
    """One HTTP request; None when it failed as a whole, with every job's ruling made."""
    try:
        reply = client_of(portal).carry(request.commands)
    except SyncError as error:
        _note_trouble(portal, pace, error)
        load.fail(error)
        return None
    except Exception as error:  # noqa: BLE001  # the ladder calls it a bug; the parcel is not lost
        load.fail(error)
        return None
    pace.passed_one()
    _note_news(portal, reply)
    return reply


def _note_trouble(portal: Portal, pace: Pace, error: SyncError) -> None:
    """What a request that failed as a whole says about the portal."""
    now = time.time()
    logger.warning("%s: %s", portal.slug, error.message)
    if isinstance(error, Throttled):
        _note_limit(portal, pace, error)
    elif isinstance(error, TryLater):
        pace.failed_one(error.message, now=now)
        if isinstance(error, OutcomeUnknown) and error.is_timeout:
            pace.halve()
    elif isinstance(error, NeedsStaff):
        pace.failed_one(error.message, now=now, is_lasting=True)


def _note_limit(portal: Portal, pace: Pace, error: Throttled) -> None:
    now, wait = time.time(), error.after or THROTTLED_WAIT
    if error.method:
        MethodBudget.block(portal, error.method, until=now + wait)
    else:
        pace.push(wait, now=now)


def _note_news(portal: Portal, reply: Reply) -> None:
    """What an answered request says about the portal: budgets nearly spent, a new address."""
    now = time.time()
    for method, usage in reply.usage.items():
        if usage.seconds > BUDGET_SECONDS and usage.reset_at > now:
            MethodBudget.block(portal, method, until=usage.reset_at)
    for answer in reply.answers.values():
        if isinstance(answer.error, Throttled) and answer.error.method:
            MethodBudget.block(
                portal, answer.error.method, until=now + (answer.error.after or THROTTLED_WAIT)
            )
    if reply.new_url:
        logger.warning("%s has moved; its new address is stored.", portal.slug)
        Portal.objects.filter(pk=portal.pk).update(webhook_url=reply.new_url)


_MISSING = Answer(error=OutcomeUnknown("The portal's answer does not mention this command."))


def _hear(load: Load, step: Step, request: Request, reply: Reply) -> None:
    """What the answers mean for each job; runs inside the settling transaction."""
    for key, jobs in request.jobs.items():
        answer = reply.answers.get(key, _MISSING)
        read = cache(partial(_read, step, answer))  # once a command, however many jobs it speaks for
        for job in filter(load.parcel.jobs.__contains__, jobs):  # others are no longer ours
            load.rule(job, partial(_hear_one, step, load.parcel, job, read))


def _read(step: Step, answer: Answer) -> Any:
    return step.read(answer.result())


def _hear_one(step: Step, parcel: Parcel, job: Job, read: Callable[[], Any]) -> Outcome:
    return step.hear(parcel, job, read())


def _raise(error: Exception) -> NoReturn:
    raise error


def _grouped(jobs: list[Job], size: int) -> Iterator[list[Job]]:
    """Jobs of one route together, at most `size`: what one command may speak for."""
    by_route: dict[int, list[Job]] = {}
    for job in jobs:
        by_route.setdefault(job.route_id, []).append(job)
    for same in by_route.values():
        for start in range(0, len(same), size):
            yield same[start : start + size]
