"""One request and its answer: what a parcel asks, and what the answer means for each of its jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.db import Error
from django.utils.translation import gettext as _

from sync.connectors.types import Answer, Client, Command, Reply
from sync.db.transactions import atomically
from sync.engine.batch import Batch, ClaimedParcel
from sync.engine.outcomes import attempt
from sync.engine.settlement import settle
from sync.errors import OutcomeUnknown, SyncError
from sync.flows.contract import Outcome, Parcel, Step
from sync.gateway.calls import Response, note, send
from sync.models import Job, Pace, Portal
from sync.policies.rate_limit import ON_THE_WAY


@dataclass(frozen=True)
class Exchange:
    """A claimed parcel with the request it makes to its portal."""

    portal: Portal
    pace: Pace
    claimed: ClaimedParcel
    step: Step
    batch: Batch

    def execute(self, client: Client) -> Response:
        """Send the request. Touches no database: it runs in a thread of its own."""
        return send(client, self.batch.commands, clock=self.claimed.clock)

    def settle(self, response: Response) -> None:
        """Settle the jobs by what came back; whatever the portal did, each gets its decision."""
        try:
            reply = note(self.portal, self.pace, response, now=self.claimed.clock.now())
        except Error:  # our database is away, though the request ran: the lease runs out, then we look
            raise
        except Exception as error:  # noqa: BLE001  # the policy knows ours and calls the rest a bug
            self.claimed.fail(error)
            settle(self.claimed)
            return
        readers = _readers(self.step, self.batch, reply)
        settle(self.claimed, before=partial(self._decide_all, readers))

    def _decide_all(self, readers: Mapping[str, Callable[[], Any]]) -> None:
        """What the answers mean for each job that is still ours; runs inside the settling transaction."""
        for job in self.claimed.parcel.jobs:
            if job.pk in self.batch.group_of:
                read = readers[self.batch.group_of[job.pk]]
                self.claimed.decide(
                    job, attempt(partial(_outcome, self.step, self.claimed.parcel, job, read))
                )


def prepare(portal: Portal, pace: Pace, claimed: ClaimedParcel, step: Step) -> Exchange | None:
    """The request of a claimed parcel; None when there is nothing to send, and its jobs are settled."""
    _load(claimed.parcel, step.prepare)
    batch = _batch(claimed, step)
    if not batch.commands:
        settle(claimed)
        return None
    now = claimed.clock.now()
    if now - claimed.parcel.now.timestamp() > ON_THE_WAY:
        pace.count_late_one(portal.limits, now=now)
    return Exchange(portal, pace, claimed, step, batch)


def _load(parcel: Parcel, work: Callable[[Parcel], None] | None) -> None:
    """Read what the parcel needs and do the step's own work; only to write is a transaction begun."""
    if work is None:
        parcel.load()
        return

    def load_and_write() -> None:
        parcel.load()
        work(parcel)

    atomically(load_and_write)


def _batch(claimed: ClaimedParcel, step: Step) -> Batch:
    """The commands of a parcel; jobs that need none get their decision."""
    batch = Batch()
    for jobs in _grouped(claimed.parcel.jobs, step.group):
        wanted = attempt(partial(step.request, claimed.parcel, jobs))
        if isinstance(wanted, Command | tuple):
            batch.add(jobs, wanted)
            continue
        for job in jobs:  # an error, too: each job by its own count of attempts
            claimed.decide(job, wanted)
    return batch


def _grouped(jobs: list[Job], size: int) -> Iterator[list[Job]]:
    """Jobs of one route together, at most `size`: what one command may speak for."""
    by_route: dict[int, list[Job]] = {}
    for job in jobs:
        by_route.setdefault(job.route_id, []).append(job)
    for same in by_route.values():
        for start in range(0, len(same), size):
            yield same[start : start + size]


def _readers(step: Step, batch: Batch, reply: Reply) -> dict[str, Callable[[], Any]]:
    """How to read the answers of each group: once, however many jobs they speak for."""
    readers: dict[str, Callable[[], Any]] = {}
    for name, keys in batch.groups.items():
        answers = [reply.answers.get(key) or _missing() for key in keys]
        is_one = keys == [name]
        readers[name] = cache(partial(_read, step, answers[0]) if is_one else partial(list, answers))
    return readers


def _missing() -> Answer:
    return Answer(error=OutcomeUnknown(_("The portal's answer does not mention this command.")))


def _read(step: Step, answer: Answer) -> Any:
    return step.read(answer.result())


def _outcome(step: Step, parcel: Parcel, job: Job, read: Callable[[], Any]) -> Outcome:
    try:
        value = read()
    except SyncError as error:
        outcome = step.ignore_error(error)
        if outcome is None:
            raise
        return outcome
    return step.on_response(parcel, job, value)
