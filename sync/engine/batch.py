"""A claimed parcel, and the commands it makes of one request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from sync.connectors.types import Command
from sync.engine.outcomes import Claim, Decision, decide
from sync.flows.contract import Outcome, Parcel
from sync.models import Job
from sync.policies.clock import SYSTEM_CLOCK, Clock


@dataclass
class ClaimedParcel:
    """Jobs that this worker holds as `holder`, and what has been decided of them so far.

    `is_probe`: the portal was known to be away, this request finds out whether it still is.
    """

    parcel: Parcel
    holder: str
    is_probe: bool = False
    clock: Clock = SYSTEM_CLOCK
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    decisions: dict[int, Decision] = field(default_factory=dict)

    def decide(self, job: Job, outcome: Outcome | Exception) -> None:
        """Decide by an outcome or an error, whatever was decided before."""
        claim = Claim(job, self.parcel.now, is_probe=self.is_probe)
        self.decisions[job.pk] = decide(claim, outcome)

    def fail(self, error: Exception) -> None:
        """The same error for every job about which nothing is decided yet."""
        for job in self.parcel.jobs:
            if job.pk not in self.decisions:
                self.decide(job, error)


@dataclass(frozen=True)
class Batch:
    """The commands of one HTTP request.

    `groups`: a group's name → the keys of its commands, one or more, whose answers are read together;
    `group_of`: a job's ID → the group that speaks for it.
    """

    commands: dict[str, Command] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    group_of: dict[int, str] = field(default_factory=dict)

    def add(self, jobs: list[Job], wanted: Command | tuple[Command, ...]) -> None:
        """One command for these jobs, or several whose answers are read together."""
        name = f"j{jobs[0].pk}"
        if isinstance(wanted, Command):
            commands = {name: wanted}
        else:
            commands = {f"{name}.{number}": command for number, command in enumerate(wanted)}
        self.commands.update(commands)
        self.groups[name] = list(commands)
        self.group_of.update((job.pk, name) for job in jobs)
