"""What becomes of a job: an outcome or an error in, the new state of its row out. No database, no clock."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db import DatabaseError
from django.utils.translation import gettext as _

from sync.errors import NeedsStaff, OutcomeUnknown, Refused, SyncError, TryLater
from sync.flows import FLOWS
from sync.flows.contract import Flow, Next, Outcome, Skip
from sync.models import Attempt, Job
from sync.redaction.masking import mask

T = TypeVar("T")

FREE_WAIT = 5.0
"""Seconds until a job is due again whose try cost nothing; the portal's pace decides who really goes."""


class Verdict(NamedTuple):
    """The new state of one job. Equal verdicts of a parcel are written in one UPDATE."""

    state: str
    step: str
    portal_id: int
    attempts: int = 0
    due_at: datetime | None = None
    failure: str = ""
    note: str = ""
    finished_at: datetime | None = None
    warning: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the job goes on."""
        return self.state in Job.OPEN

    def changes(self) -> dict[str, Any]:
        """Columns to write; a job that ended gives its lane free."""
        columns = self._asdict()
        if not self.warning:
            del columns["warning"]  # an earlier one stays
        return columns if self.is_open else columns | {"head_of": None}


class Tried(NamedTuple):
    """How the try ended, for the attempt log."""

    outcome: str
    code: str = ""
    status: int | None = None
    message: str = ""


@dataclass(frozen=True)
class Ruling:
    """What becomes of a job, and how its try ended."""

    verdict: Verdict
    tried: Tried


@dataclass(frozen=True)
class Judge:
    """Decides for one job at one moment. `is_probe`: the portal was known to be away, the try is free."""

    job: Job
    now: datetime
    is_probe: bool = False

    @property
    def flow(self) -> Flow:
        """The flow of the job's route."""
        return FLOWS[self.job.route.flow]

    def attempt(self, work: Callable[[], T]) -> T | Ruling:
        """What `work` returns; whatever it raises becomes a ruling. The one ladder of the product."""
        try:
            return work()
        except OutcomeUnknown as error:
            return self._unknown(error)
        except TryLater as error:
            return self._later(error, is_free=not error.spends_attempt)
        except NeedsStaff as error:
            return self._failed(error, Job.Failure.CONFIG)
        except Refused as error:
            return self._failed(error, Job.Failure.REFUSED)
        except DatabaseError:  # our own trouble decides nothing: the lease runs out, and the job comes again
            raise
        except Exception as error:  # noqa: BLE001  # whatever a flow forgot must not lose the parcel
            message = mask("".join(traceback.format_exception(error)))
            return self._failed(SyncError("\n".join([_("An error of ours:"), message])), Job.Failure.BUG)

    def decide(self, outcome: Outcome) -> Ruling:
        """What a step's own outcome makes of the job."""
        if isinstance(outcome, Next):
            kept = max(0, self.job.attempts - 1) if outcome.keeps_attempts else 0
            verdict = self._waiting(outcome.step, attempts=kept, note=outcome.note)
            if outcome.warning:
                verdict = verdict._replace(warning=self._warnings(outcome.warning))
            return Ruling(verdict, Tried(Attempt.Outcome.PASSED, message=outcome.note))
        if isinstance(outcome, Skip):
            verdict = self._ended(Job.State.SKIPPED, note=outcome.reason)
            return Ruling(verdict, Tried(Attempt.Outcome.SKIPPED, message=outcome.reason))
        verdict = self._ended(Job.State.DONE, note=outcome.note)
        return Ruling(verdict, Tried(Attempt.Outcome.PASSED, message=outcome.note))

    def _unknown(self, error: OutcomeUnknown) -> Ruling:
        """A lost answer: wait out the portal's own request limit, look, and only then repeat."""
        verify_step = self.flow.steps[self.job.step].verify_step
        if not verify_step:
            return self._later(error, is_free=self.is_probe)
        wait = self._portal_works_for() if error.after is None else error.after
        verdict = self._exhausted_or(error, step=verify_step, wait=wait)
        return Ruling(verdict, self._tried(Attempt.Outcome.UNKNOWN, error))

    def _portal_works_for(self) -> float:
        route = self.job.route
        if route.target is None or self.job.portal_id == route.source_id:
            return route.source.request_seconds
        return route.target.request_seconds

    def _later(self, error: TryLater, *, is_free: bool) -> Ruling:
        if is_free:
            wait = FREE_WAIT if error.after is None else error.after
            attempts = max(0, self.job.attempts - 1)
            verdict = self._waiting(self.job.step, attempts=attempts, wait=wait, note=error.message)
        else:
            verdict = self._exhausted_or(error, step=self.job.step, wait=error.after)
        outcome = Attempt.Outcome.AWAY if error.is_portal_wide else Attempt.Outcome.LATER
        return Ruling(verdict, self._tried(outcome, error))

    def _exhausted_or(self, error: TryLater, *, step: str, wait: float | None) -> Verdict:
        backoff = self.flow.retry.wait(self.job.attempts, is_away=error.is_portal_wide)
        if backoff is None and not self.is_probe:
            return self._failed(error, Job.Failure.EXHAUSTED, step=step).verdict
        if error.is_portal_wide:  # not this job's fault: the breaker slows the portal down, not its jobs
            backoff = self.flow.retry.first
        wait = (backoff or FREE_WAIT) if wait is None else wait
        return self._waiting(step, attempts=self.job.attempts, wait=wait, note=error.message)

    def _failed(self, error: SyncError, failure: str, *, step: str = "") -> Ruling:
        here = self.flow.steps[self.job.step]
        tried = self._tried(Attempt.Outcome.FAILED, error)
        if here.fallback_step:
            waiting = self._waiting(here.fallback_step)
            return Ruling(waiting._replace(warning=self._warnings(error.message)), tried)
        step = step or here.retry_from or self.job.step
        verdict = self._ended(Job.State.FAILED, step=step, failure=failure, note=error.message)
        return Ruling(verdict, tried)

    def _warnings(self, text: str) -> str:
        """What the job warns of already, and this."""
        known = self.job.warning.split("\n") if self.job.warning else []
        return "\n".join(dict.fromkeys([*known, *text.split("\n")]))

    def _waiting(self, step: str, *, attempts: int = 0, wait: float = 0.0, note: str = "") -> Verdict:
        return Verdict(
            state=Job.State.WAITING,
            step=step,
            portal_id=self._portal_of(step),
            attempts=attempts,
            due_at=self.now + timedelta(seconds=wait),
            note=note,
        )

    def _ended(self, state: str, *, note: str, step: str = "", failure: str = "") -> Verdict:
        step = step or self.job.step
        return Verdict(
            state=state,
            step=step,
            portal_id=self._portal_of(step),
            attempts=self.job.attempts,
            failure=failure,
            note=note,
            finished_at=self.now,
        )

    def _portal_of(self, step: str) -> int:
        return self.job.route.portal_id_of(self.flow.steps[step].calls)

    def _tried(self, outcome: str, error: SyncError) -> Tried:
        return Tried(outcome, code=error.code[:60], status=error.status, message=error.message)
