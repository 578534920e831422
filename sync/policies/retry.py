"""Whether and when a failed try is repeated: data and one pure decision. No clock, no database."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from sync.errors import NeedsStaff, OutcomeUnknown, Refused, TryLater
from sync.policies.backoff import backoff

FREE_WAIT = 5.0
"""Seconds until a job is due again whose try cost nothing; the portal's pace decides who really goes."""


class ErrorKind(StrEnum):
    """What an error means for the next try."""

    UNKNOWN = "unknown"  # the answer is lost: the call may have run
    LATER = "later"  # the clock helps, and the try counts
    FREE = "free"  # refused before it ran, or it waits for work of ours: the try does not count
    CONFIG = "config"  # a person changes a setting
    REFUSED = "refused"  # the portal understood and said no
    BUG = "bug"  # an error of ours


@dataclass(frozen=True)
class Retry:
    """Try again in `wait` seconds. `verifies`: first look whether the lost call ran. `is_free`: the try that
    failed does not count.
    """

    wait: float
    verifies: bool = False
    is_free: bool = False


@dataclass(frozen=True)
class GiveUp:
    """The job fails; `failure` says who acts: config, refused, exhausted or bug."""

    failure: str


def kind_of(error: Exception) -> ErrorKind:
    """What kind of error it is; whatever is not one of ours is a bug."""
    if isinstance(error, OutcomeUnknown):
        return ErrorKind.UNKNOWN
    if isinstance(error, TryLater):
        return ErrorKind.LATER if error.spends_attempt else ErrorKind.FREE
    if isinstance(error, NeedsStaff):
        return ErrorKind.CONFIG
    return ErrorKind.REFUSED if isinstance(error, Refused) else ErrorKind.BUG


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon: `first_wait` seconds, doubled each time up to `max_wait`, ± `jitter`.

    `max_attempts` tries where the trouble may be the job's own; `max_attempts_away` where the portal as a
    whole was in trouble (an answer lost on the way, a page instead of an answer): that is not the job's
    fault, but a record that itself breaks the portal must end some day, too.
    """

    max_attempts: int = 10
    max_attempts_away: int = 10
    first_wait: float = 2.0
    max_wait: float = 900.0
    jitter: float = 0.1

    def decide(
        self,
        error: Exception,
        *,
        attempts: int,
        is_probe: bool = False,
        verify_after: float | None = None,
    ) -> Retry | GiveUp:
        """What follows after `attempts` tries, of which the last one met `error`.

        `is_probe`: the portal was known to be away, so this try says nothing about the job. `verify_after`:
        seconds until a lost call has surely ended, so that another step may look whether it ran; None when
        no step can.
        """
        kind = kind_of(error)
        if not isinstance(error, TryLater):
            return GiveUp(kind.value)
        verifies = kind is ErrorKind.UNKNOWN and verify_after is not None
        if kind is ErrorKind.FREE or (kind is ErrorKind.UNKNOWN and is_probe and not verifies):
            return Retry(FREE_WAIT if error.after is None else error.after, is_free=True)
        allowed = self.max_attempts_away if error.is_portal_wide else self.max_attempts
        if attempts >= allowed and not is_probe:
            return GiveUp("exhausted")
        if error.after is not None:
            return Retry(error.after, verifies=verifies)
        if verify_after is not None and verifies:
            return Retry(verify_after, verifies=True)
        # not this job's fault: the breaker slows the portal down, not its jobs
        return Retry(self.first_wait if error.is_portal_wide else self.backoff(attempts))

    def backoff(self, attempts: int) -> float:
        """Seconds to wait after so many failed tries."""
        if attempts >= self.max_attempts:  # probes go on without end
            return FREE_WAIT
        seconds = backoff(max(1, attempts), first=self.first_wait, longest=self.max_wait)
        # spread, or a thousand jobs that failed together come back together
        return seconds * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311
