"""What becomes of a job: an outcome or an error in, the new state of its row out. No database, no clock."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db import DatabaseError
from django.utils.translation import gettext as _

from sync.errors import SyncError
from sync.flows import FLOWS
from sync.flows.contract import Flow, Next, Outcome, Skip, Step
from sync.models import Attempt, Job
from sync.policies.retry import ErrorKind, GiveUp, Retry, kind_of
from sync.redaction.masking import mask

T = TypeVar("T")


class JobChange(NamedTuple):
    """The new state of one job. Equal changes of a parcel are written in one UPDATE."""

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

    def columns(self) -> dict[str, Any]:
        """Columns to write; a job that ended gives its lane free."""
        columns = self._asdict()
        if not self.warning:
            del columns["warning"]  # an earlier one stays
        return columns if self.is_open else columns | {"head_of": None}


class AttemptResult(NamedTuple):
    """How the attempt ended, for the attempt log."""

    outcome: str
    code: str = ""
    status: int | None = None
    message: str = ""


@dataclass(frozen=True)
class Decision:
    """What becomes of a job, and how its attempt ended."""

    change: JobChange
    result: AttemptResult


@dataclass(frozen=True)
class Claim:
    """A job claimed at a moment. `is_probe`: its portal was known to be away, so the attempt is free."""

    job: Job
    now: datetime
    is_probe: bool = False

    @property
    def flow(self) -> Flow:
        """The flow of the job's route."""
        return FLOWS[self.job.route.flow]

    @property
    def step(self) -> Step:
        """Where the job stands."""
        return self.flow.steps[self.job.step]


def attempt(work: Callable[[], T]) -> T | Exception:
    """What `work` returns or raises. Our own database's trouble decides nothing about a job and is raised:
    the lease runs out, and the job comes again.
    """
    try:
        return work()
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a flow forgot must not lose the parcel
        return error


def decide(claim: Claim, outcome: Outcome | Exception) -> Decision:
    """What an outcome, or the error there was instead, makes of the job."""
    if isinstance(outcome, Exception):
        return _after_error(claim, outcome)
    if isinstance(outcome, Next):
        kept = max(0, claim.job.attempts - 1) if outcome.keeps_attempts else 0
        change = _waiting(claim, outcome.step, attempts=kept, note=outcome.note)
        if outcome.warning:
            change = change._replace(warning=_warnings(claim.job, outcome.warning))
        return Decision(change, AttemptResult(Attempt.Outcome.PASSED, message=outcome.note))
    if isinstance(outcome, Skip):
        change = _ended(claim, Job.State.SKIPPED, note=outcome.reason)
        return Decision(change, AttemptResult(Attempt.Outcome.SKIPPED, message=outcome.reason))
    change = _ended(claim, Job.State.DONE, note=outcome.note)
    return Decision(change, AttemptResult(Attempt.Outcome.PASSED, message=outcome.note))


def _after_error(claim: Claim, raised: Exception) -> Decision:
    """Repeat or give up, as the flow's retry policy decides."""
    next_try = claim.flow.retry.decide(
        raised,
        attempts=claim.job.attempts,
        is_probe=claim.is_probe,
        verify_after=_verify_after(claim, raised),
    )
    kind = kind_of(raised)
    error = raised if isinstance(raised, SyncError) and kind is not ErrorKind.BUG else _bug(raised)
    result = AttemptResult(_logged(claim.step, raised), error.code[:60], error.status, error.message)
    if isinstance(next_try, Retry):
        return Decision(_retried(claim, next_try, error), result)
    return Decision(_failed(claim, next_try, kind=kind, error=error), result)


def _retried(claim: Claim, retry: Retry, error: SyncError) -> JobChange:
    step = claim.step.verify_step if retry.verifies else claim.job.step
    attempts = max(0, claim.job.attempts - 1) if retry.is_free else claim.job.attempts
    return _waiting(claim, step, attempts=attempts, wait=retry.wait, note=error.message)


def _failed(claim: Claim, end: GiveUp, *, kind: ErrorKind, error: SyncError) -> JobChange:
    """On with the step that stands in for this one, if there is one; else the job has failed."""
    if claim.step.fallback_step:
        change = _waiting(claim, claim.step.fallback_step)
        return change._replace(warning=_warnings(claim.job, error.message))
    step = claim.step.retry_from or claim.job.step
    if end.failure == Job.Failure.EXHAUSTED:  # Retry goes on where it stopped: a lost call is looked for
        step = (claim.step.verify_step if kind is ErrorKind.UNKNOWN else "") or claim.job.step
    return _ended(claim, Job.State.FAILED, step=step, failure=end.failure, note=error.message)


def _logged(step: Step, error: Exception) -> str:
    """The word for the attempt log."""
    kind = kind_of(error)
    if kind is ErrorKind.UNKNOWN and step.verify_step:
        return Attempt.Outcome.UNKNOWN
    if kind in (ErrorKind.UNKNOWN, ErrorKind.LATER, ErrorKind.FREE):
        is_portal_wide = isinstance(error, SyncError) and error.is_portal_wide
        return Attempt.Outcome.AWAY if is_portal_wide else Attempt.Outcome.LATER
    return Attempt.Outcome.FAILED


def _bug(error: Exception) -> SyncError:
    text = mask("".join(traceback.format_exception(error)))
    return SyncError("\n".join([_("An error of ours:"), text]))


def _verify_after(claim: Claim, error: Exception) -> float | None:
    """How long the portal that was called may still work on a request whose answer is lost."""
    if not claim.step.verify_step or kind_of(error) is not ErrorKind.UNKNOWN:
        return None
    job, route = claim.job, claim.job.route
    if route.target is None or job.portal_id == route.source_id:
        return route.source.request_seconds
    return route.target.request_seconds


def _warnings(job: Job, text: str) -> str:
    """What the job warns of already, and this."""
    known = job.warning.split("\n") if job.warning else []
    return "\n".join(dict.fromkeys([*known, *text.split("\n")]))


def _waiting(claim: Claim, step: str, *, attempts: int = 0, wait: float = 0.0, note: str = "") -> JobChange:
    return JobChange(
        state=Job.State.WAITING,
        step=step,
        portal_id=_portal_of(claim, step),
        attempts=attempts,
        due_at=claim.now + timedelta(seconds=wait),
        note=note,
    )


def _ended(claim: Claim, state: str, *, note: str, step: str = "", failure: str = "") -> JobChange:
    step = step or claim.job.step
    return JobChange(
        state=state,
        step=step,
        portal_id=_portal_of(claim, step),
        attempts=claim.job.attempts,
        failure=failure,
        note=note,
        finished_at=claim.now,
    )


def _portal_of(claim: Claim, step: str) -> int:
    return claim.job.route.portal_id_of(claim.flow.steps[step].calls)
