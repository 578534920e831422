"""The retry decision: an error, the attempts so far and the portal's state in, what now out."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sync import errors
from sync.errors import NeedsStaff, NotYet, OutcomeUnknown, PortalAway, Refused, Throttled, TryLater
from sync.policies.retry import FREE_WAIT, ErrorKind, GiveUp, Retry, RetryPolicy, kind_of

POLICY = RetryPolicy(max_attempts=3, max_attempts_away=5, first_wait=2.0, max_wait=5.0, jitter=0.0)
REQUEST = 60.0
"""Seconds the portal may work on a request."""


class PageInsteadOfAnswer(TryLater):
    """The portal as a whole is in trouble, and the try counts."""

    is_portal_wide = True


@pytest.mark.parametrize(
    ("error", "attempts", "given", "expected"),
    [
        # a person acts: at once, however few the tries
        (NeedsStaff("x"), 1, {}, GiveUp("config")),
        (Refused("x"), 1, {}, GiveUp("refused")),
        (KeyError("x"), 1, {}, GiveUp("bug")),
        (errors.SyncError("x"), 1, {}, GiveUp("bug")),
        (NeedsStaff("x"), 1, {"is_probe": True}, GiveUp("config")),
        # the clock helps: longer and longer, up to the longest wait, then enough
        (TryLater("x"), 1, {}, Retry(2.0)),
        (TryLater("x"), 2, {}, Retry(4.0)),
        (TryLater("x"), 3, {}, GiveUp("exhausted")),
        (TryLater("x"), 9, {}, GiveUp("exhausted")),
        (TryLater("x", after=7), 1, {}, Retry(7)),
        (TryLater("x", after=0), 2, {}, Retry(0)),
        (TryLater("x", after=7), 3, {}, GiveUp("exhausted")),
        # the portal as a whole: the breaker slows it down, so the job comes back soon, and may try more often
        (PageInsteadOfAnswer("x"), 1, {}, Retry(2.0)),
        (PageInsteadOfAnswer("x"), 4, {}, Retry(2.0)),
        (PageInsteadOfAnswer("x"), 5, {}, GiveUp("exhausted")),
        # a probe of a portal that is away says nothing about the job: it never ends it
        (PageInsteadOfAnswer("x"), 99, {"is_probe": True}, Retry(2.0)),
        (TryLater("x"), 99, {"is_probe": True}, Retry(FREE_WAIT)),
        # it did not run, or waits for work of ours: the try is given back
        (Throttled("x"), 1, {}, Retry(FREE_WAIT, is_free=True)),
        (Throttled("x", after=0.5), 99, {}, Retry(0.5, is_free=True)),
        (PortalAway("x"), 99, {}, Retry(FREE_WAIT, is_free=True)),
        (NotYet("x", after=3), 99, {}, Retry(3, is_free=True)),
        # the answer is lost: wait until the call has surely ended, then look whether it ran
        (OutcomeUnknown("x"), 1, {"verify_after": REQUEST}, Retry(REQUEST, verifies=True)),
        (OutcomeUnknown("x", after=0), 1, {"verify_after": REQUEST}, Retry(0, verifies=True)),
        (OutcomeUnknown("x"), 4, {"verify_after": REQUEST}, Retry(REQUEST, verifies=True)),
        (OutcomeUnknown("x"), 5, {"verify_after": REQUEST}, GiveUp("exhausted")),
        (OutcomeUnknown("x"), 9, {"verify_after": 0.0, "is_probe": True}, Retry(0.0, verifies=True)),
        # … and where a repetition harms nothing, repeat
        (OutcomeUnknown("x"), 1, {}, Retry(2.0)),
        (OutcomeUnknown("x"), 5, {}, GiveUp("exhausted")),
        (OutcomeUnknown("x"), 9, {"is_probe": True}, Retry(FREE_WAIT, is_free=True)),
    ],
)
def test_what_follows_a_failed_try(error, attempts, given, expected) -> None:
    assert POLICY.decide(error, attempts=attempts, **given) == expected


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OutcomeUnknown, ErrorKind.UNKNOWN),
        (TryLater, ErrorKind.LATER),
        (Throttled, ErrorKind.FREE),
        (PortalAway, ErrorKind.FREE),
        (NotYet, ErrorKind.FREE),
        (NeedsStaff, ErrorKind.CONFIG),
        (Refused, ErrorKind.REFUSED),
        (errors.ConfigRefused, ErrorKind.BUG),  # of the command line: no job meets it
        (errors.SyncError, ErrorKind.BUG),
    ],
)
def test_every_error_of_ours_is_of_one_kind(error, kind) -> None:
    assert kind_of(error("x")) is kind


def test_no_error_is_left_out_of_the_table() -> None:
    def family(error: type) -> set[type]:
        return {error}.union(*(family(one) for one in error.__subclasses__()))

    known = {one for one in vars(errors).values() if isinstance(one, type)}
    assert family(errors.SyncError) & known == {
        OutcomeUnknown, TryLater, Throttled, PortalAway, NotYet, NeedsStaff, Refused,
        errors.ConfigRefused, errors.SyncError,
    }  # fmt: skip


def test_waits_grow_and_stay_below_the_longest() -> None:
    policy = RetryPolicy(max_attempts=20, jitter=0)
    waits = [policy.backoff(attempts) for attempts in range(1, 20)]
    assert waits[:4] == [2, 4, 8, 16]
    assert all(before <= after for before, after in pairwise(waits))
    assert waits[-1] == policy.max_wait


def test_waits_are_spread() -> None:
    """A thousand jobs that failed together do not come back together."""
    waits = {RetryPolicy(jitter=0.1).backoff(3) for _ in range(50)}
    assert len(waits) > 1
    assert all(7.2 <= wait <= 8.8 for wait in waits)
