"""One request: what a parcel asks, and what the answer means for each of its jobs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, NoReturn

from django.db import Error
from django.utils.translation import gettext as _

from sync.calling import Heard, note
from sync.connectors.types import Answer, Command, Reply
from sync.errors import OutcomeUnknown, SyncError
from sync.flows.steps import Outcome, Parcel, Step
from sync.models import Job, Pace, Portal
from sync.models.atomic import atomically
from sync.pace import ON_THE_WAY
from sync.settling import settle
from sync.verdict import Judge, Ruling


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

    def refuse(self, job: Job, error: Exception) -> None:
        """Decide by an error, whatever was decided before."""
        self.rule(job, partial(_raise, error))

    def fail(self, error: Exception) -> None:
        """The same error for every job that has no ruling yet."""
        for job in self.parcel.jobs:
            if job.pk not in self.rulings:
                self.refuse(job, error)


@dataclass(frozen=True)
class Request:
    """The commands of one HTTP request. `groups`: keys of the commands that are heard together, one or more,
    by the group's name; `group_of`: the group that speaks for a job, by the job's ID.
    """

    commands: dict[str, Command] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    group_of: dict[int, str] = field(default_factory=dict)

    def add(self, jobs: list[Job], said: Command | tuple[Command, ...]) -> None:
        """One command for these jobs, or several that are heard together."""
        name = f"j{jobs[0].pk}"
        commands = {name: said} if isinstance(said, Command) else _numbered(name, said)
        self.commands.update(commands)
        self.groups[name] = list(commands)
        self.group_of.update((job.pk, name) for job in jobs)


@dataclass(frozen=True)
class Errand:
    """A load with the request it makes to its portal."""

    portal: Portal
    pace: Pace
    load: Load
    step: Step
    request: Request


def ask(portal: Portal, pace: Pace, load: Load, step: Step) -> Errand | None:
    """What the load asks of its portal; None when that is nothing, and the load is settled."""
    _prepare(load.parcel, step.prepare)
    request = _request(load, step)
    if not request.commands:
        settle(load)
        return None
    now = time.time()
    if now - load.parcel.now.timestamp() > ON_THE_WAY:
        pace.count_late_one(portal.limits, now=now)
    return Errand(portal, pace, load, step, request)


def hear(errand: Errand, heard: Heard) -> None:
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
    settle(load, before=partial(_hear, load, errand.step, errand.request, _readers(errand, reply)))


def _prepare(parcel: Parcel, work: Callable[[Parcel], None] | None) -> None:
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
        ask = partial(step.ask, load.parcel, jobs)
        said = load.judge(jobs[0]).attempt(ask)
        if isinstance(said, Command | tuple):
            request.add(jobs, said)
        elif isinstance(said, Ruling):  # an error: each job by its own count of attempts
            for job in jobs:
                load.rule(job, ask)  # type: ignore[arg-type]  # it raises again
        else:
            for job in jobs:
                load.rulings[job.pk] = load.judge(job).decide(said)
    return request


def _hear(load: Load, step: Step, request: Request, readers: Mapping[str, Callable[[], Any]]) -> None:
    """What the answers mean for each job that is still ours; runs inside the settling transaction."""
    for job in load.parcel.jobs:
        if job.pk in request.group_of:
            read = readers[request.group_of[job.pk]]
            load.rule(job, partial(_hear_one, step, load.parcel, job, read))


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


def _numbered(name: str, commands: tuple[Command, ...]) -> dict[str, Command]:
    return {f"{name}.{number}": command for number, command in enumerate(commands)}


def _read(step: Step, answer: Answer) -> Any:
    return step.read(answer.result())


def _hear_one(step: Step, parcel: Parcel, job: Job, read: Callable[[], Any]) -> Outcome:
    try:
        value = read()
    except SyncError as error:
        outcome = step.excuse(error)
        if outcome is None:
            raise
        return outcome
    return step.hear(parcel, job, value)


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
