"""One claimed batch of jobs: what it asks of its portal, and what was decided for each job."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

from sync.connectors.types import Command
from sync.engine.outcomes import Judge, Ruling
from sync.flows.contract import Outcome, Parcel, Step
from sync.models import Job, Pace, Portal


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


def _numbered(name: str, commands: tuple[Command, ...]) -> dict[str, Command]:
    return {f"{name}.{number}": command for number, command in enumerate(commands)}


def _raise(error: Exception) -> NoReturn:
    raise error
