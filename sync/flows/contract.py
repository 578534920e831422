"""How a flow says what it does: steps, each one request's worth of work, and what comes of them.

A flow declares its steps as data; the engine runs them. Nothing here or in the engine knows a vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from sync.connectors.types import COMMANDS_A_REQUEST, Answer, Command, IncomingEvent, ListedRecord, Listing
from sync.errors import SyncError
from sync.flows.declarations import Direction, Ends, JobKind, MappingTable, NoOptions, OptionGroup, Text
from sync.flows.findings import Finding
from sync.flows.parcel import Parcel
from sync.models import Event, Job, Route
from sync.policies.retry import RetryPolicy

Side = Literal["source", "target"]


@dataclass(frozen=True)
class Next:
    """Go on with another step. `keeps_attempts`: this step only asked a question, tries count on.

    `warning` stays on the job for staff to read, however it ends.
    """

    step: str
    keeps_attempts: bool = False
    note: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Done:
    """The job has done all it had to do."""

    note: str = ""


@dataclass(frozen=True)
class Skip:
    """There is nothing to do; `reason` tells staff why."""

    reason: str


Outcome = Next | Done | Skip


BuildRequest = Callable[[Parcel, list[Job]], Command | tuple[Command, ...] | Outcome]
OnResponse = Callable[[Parcel, Job, Any], Outcome]
IgnoreError = Callable[[SyncError], Outcome | None]


def _as_it_is(value: Any) -> Any:
    return value


def _ignore_nothing(_: SyncError) -> None:
    """Mostly an error is an error."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stage of a job's way that one request can carry.

    `label`: what staff read where a job stands at it. `calls`: the portal it calls; `method`: the vendor
    method whose time budget it spends.
    `prepare`: bulk work in a transaction before the request (intents).
    `request`: the command for one group of jobs of a route, or an outcome when no request is needed. It may
    give several commands for a job, within the parcel's `room` for all of them; then `on_response` gets the
    list of their Answers, unread. One that raises is run again for each job of its group, so it changes
    nothing before.
    `read`: an answer's value into a handy form, once a command. `on_response`: what the answer means for one
    job; it may raise our errors, as `request` may.
    `ignore_error`: an error of the command that is an outcome here (a deleted record: nothing to
    do), else None.
    `commands`: how many it mostly gives. `group`: jobs one command holds. `solo`: one job a request.
    `verify_step`: the step that finds out whether a lost call ran ("" = safe to repeat).
    `retry_from`: where staff's Retry goes on ("" = here). `fallback_step`: the step to go on with when this
    one fails for good ("" = the job fails). `folds`: whether a new event may still join the job.
    `blocks_others`: it goes before other steps that are due, whose jobs wait for what it finds out.
    """

    label: Text
    calls: Side
    method: str
    request: BuildRequest
    on_response: OnResponse
    read: Callable[[Any], Any] = _as_it_is
    ignore_error: IgnoreError = _ignore_nothing
    prepare: Callable[[Parcel], None] | None = None
    commands: int = 1
    group: int = 1
    solo: bool = False
    verify_step: str = ""
    retry_from: str = ""
    fallback_step: str = ""
    folds: bool = False
    blocks_others: bool = False

    @property
    def max_jobs(self) -> int:
        """Jobs one request can hold."""
        return 1 if self.solo else self.group * COMMANDS_A_REQUEST // self.commands


@dataclass(frozen=True)
class JobSpec:
    """What an event asks of a route: a job of `kind` for the source record, beginning at `step`.

    `target_id`: of a record at the target, where that of the source is not known ("").
    `params`: of the job, beside what an event brings.
    """

    kind: str
    source_id: str
    step: str
    params: Mapping[str, Any] = field(default_factory=dict)
    target_id: str = ""


@dataclass(frozen=True)
class Ignored:
    """Why an event asks nothing of a route; "" when the route has nothing to say about events."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """What the doctor asks and says about a route of the flow.

    `questions`: commands to the portal on one side; equal keys are equal questions. `findings`: what the
    answers of the source and of the target mean, by those keys (a portal that did not answer has none).
    """

    questions: Callable[[Route, Side], dict[str, Command]]
    findings: Callable[[Route, Mapping[str, Answer], Mapping[str, Answer]], list[Finding]]


@dataclass(frozen=True)
class JobNotice:
    """What became of a job: its new state, and why when it did not end well (a sentence for staff).

    `attempt_outcome`: how the attempt ended (Attempt.Outcome; "" when staff cancelled the job); `attempts`
    counts it.
    `is_put_off`: there was no try; the portal is away, and the job will wait.
    """

    job: Job
    state: str
    attempts: int
    attempt_outcome: str = ""
    failure: str = ""
    reason: str = ""
    is_put_off: bool = False


Sort = Callable[[Route, Side, list[Event]], list[JobSpec | Ignored]]
"""A job or a reason for each event, in order; `side`: where on the route the events' portal stands."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What we do for one business: how events become jobs, the steps of each job, and what staff see.

    `label`: its name; `kinds`: its kinds of jobs. `ends`: the portals its routes join.
    `options`: the model of what staff may set on a route; the configuration file has those of
    `feedback_options` in the block `feedback`. `form`: how staff edit them, below `hint`. `mappings`: the
    directions in which a route maps fields.

    `listing` is what a resync of more than named records needs; `missed` tells which listed records changed
    without an event. For the forecast only: `first` is the step where the work of an event from each side
    mostly begins, `usual_next` the step that mostly follows each one (a step without one is the last),
    `usual_next_on` what a route's options change of that. `entity`: what its links join. `notify`: answers
    whoever asked for the jobs; called in the transaction that settles them, with their attempts stored, so
    it may write rows, and nothing else.
    """

    label: Text
    kinds: Mapping[str, JobKind]
    ends: Ends
    sort: Sort
    steps: Mapping[str, Step]
    backfill: Callable[[str], JobSpec]
    options: type[BaseModel] = NoOptions
    feedback_options: tuple[str, ...] = ()
    form: tuple[OptionGroup, ...] = ()
    hint: Text = ""
    mappings: Mapping[Direction, MappingTable] = field(default_factory=dict)
    listing: Listing | None = None
    missed: Callable[[Route, list[ListedRecord]], list[str]] = lambda _, __: []
    checkup: Checkup | None = None
    first: Mapping[Side, str] = field(default_factory=dict)
    usual_next: Mapping[str, str] = field(default_factory=dict)
    usual_next_on: Callable[[Route], Mapping[str, str]] = lambda _: {}
    entity: str = "deal"
    notify: Callable[[list[JobNotice]], None] | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    merge: Callable[[dict[str, Any], Mapping[str, Any]], dict[str, Any]] = lambda old, new: {**old, **new}

    @property
    def finds_missed(self) -> bool:
        """Whether it can look for changes that came without an event."""
        return self.listing is not None

    def usual_path(self, route: Route, step: str) -> tuple[str, ...]:
        """The step and those that mostly follow it on this route."""
        usual_next = {**self.usual_next, **self.usual_next_on(route)}
        way: list[str] = []
        while step in self.steps and step not in way:
            way.append(step)
            step = usual_next.get(step, "")
        return tuple(way)


__all__ = [
    "COMMANDS_A_REQUEST",
    "BuildRequest",
    "Checkup",
    "Done",
    "Flow",
    "IgnoreError",
    "Ignored",
    "IncomingEvent",
    "JobNotice",
    "JobSpec",
    "Listing",
    "Next",
    "OnResponse",
    "Outcome",
    "Parcel",
    "Side",
    "Skip",
    "Sort",
    "Step",
]
