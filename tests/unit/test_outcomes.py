"""What becomes of a job by an outcome or an error: its new state, and its line in the attempt log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from sync.engine.outcomes import Claim, Decision, attempt, decide
from sync.errors import NeedsStaff, OutcomeUnknown, PortalAway, Refused, Throttled, TryLater
from sync.flows.contract import Done, Next, Skip
from sync.models import Job, Portal, Route

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOURCE, TARGET = 1, 2
REQUEST = 60


def decided(outcome, *, step: str = "fetch", attempts: int = 1, warning: str = "", is_probe: bool = False):
    """The decision about a deal's job at this step."""
    portals = {
        side: Portal(pk=pk, slug=side, request_seconds=REQUEST * pk)
        for side, pk in (("source", SOURCE), ("target", TARGET))
    }
    route = Route(pk=1, slug="a-b", flow="deals", **portals)
    portal_id = TARGET if step in ("create", "find", "update") else SOURCE
    job = Job(
        pk=1, route=route, step=step, attempts=attempts, warning=warning, portal_id=portal_id, state="running"
    )
    return decide(Claim(job, NOON, is_probe=is_probe), outcome)


def seconds(decision: Decision) -> float:
    """In how many seconds the job is due."""
    return (decision.change.due_at - NOON).total_seconds()


@pytest.mark.parametrize(
    ("outcome", "step", "state", "next_step", "portal", "logged"),
    [
        (Next("create"), "fetch", "waiting", "create", TARGET, "passed"),
        (Next("announce"), "create", "waiting", "announce", SOURCE, "passed"),
        (Done("told"), "announce", "done", "announce", SOURCE, "passed"),
        (Skip("nothing"), "fetch", "skipped", "fetch", SOURCE, "skipped"),
        (NeedsStaff("x"), "fetch", "failed", "fetch", SOURCE, "failed"),
        (NeedsStaff("x"), "create", "failed", "fetch", SOURCE, "failed"),  # Retry reads the deal anew
        (Refused("x"), "update", "failed", "fetch", SOURCE, "failed"),
        (KeyError("x"), "create", "failed", "fetch", SOURCE, "failed"),
        (TryLater("x"), "create", "waiting", "create", TARGET, "later"),
        (Throttled("x"), "create", "waiting", "create", TARGET, "later"),
        (PortalAway("x"), "create", "waiting", "create", TARGET, "away"),
        (OutcomeUnknown("x"), "fetch", "waiting", "fetch", SOURCE, "away"),  # to read again harms nothing
        (OutcomeUnknown("x"), "create", "waiting", "find", TARGET, "unknown"),  # to create again would
    ],
)
def test_state_step_and_portal(outcome, step, state, next_step, portal, logged) -> None:
    decision = decided(outcome, step=step)
    change = decision.change
    assert (change.state, change.step, change.portal_id) == (state, next_step, portal)
    assert decision.result.outcome == logged
    assert change.is_open == (state == "waiting")
    assert ("head_of" in change.columns()) == (not change.is_open)
    assert (change.finished_at == NOON) == (not change.is_open)


@pytest.mark.parametrize(
    ("outcome", "attempts", "left"),
    [
        (Next("create"), 4, 0),  # each step begins anew
        (Next("create", keeps_attempts=True), 4, 3),  # a question that was answered is no try
        (Throttled("x"), 4, 3),
        (PortalAway("x"), 1, 0),
        (PortalAway("x"), 0, 0),
        (TryLater("x"), 4, 4),
        (Done(), 4, 4),
    ],
)
def test_attempts_are_counted_by_what_they_met(outcome, attempts, left) -> None:
    assert decided(outcome, attempts=attempts).change.attempts == left


@pytest.mark.parametrize(
    ("error", "step", "wait"),
    [
        (OutcomeUnknown("x"), "create", REQUEST * TARGET),  # the portal that was called may still be at it
        (OutcomeUnknown("x", after=0), "create", 0),
        (TryLater("x", after=9), "fetch", 9),
        (Throttled("x", after=3), "fetch", 3),
    ],
)
def test_when_it_is_due_again(error, step, wait) -> None:
    assert seconds(decided(error, step=step)) == wait


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (NeedsStaff("x"), "config"),
        (Refused("x"), "refused"),
        (ValueError("x"), "bug"),
        (TryLater("x"), "exhausted"),
    ],
)
def test_the_word_of_a_failure_says_who_acts(error, failure) -> None:
    assert decided(error, attempts=99).change.failure == failure


def test_a_lost_create_that_was_tried_too_often_is_looked_for_by_retry() -> None:
    change = decided(OutcomeUnknown("x"), step="create", attempts=99).change
    assert (change.state, change.failure, change.step) == ("failed", "exhausted", "find")


def test_what_was_tried_too_often_goes_on_where_it_stopped() -> None:
    change = decided(TryLater("x"), step="create", attempts=99).change
    assert (change.failure, change.step) == ("exhausted", "create")


def test_a_step_with_a_stand_in_fails_into_a_warning() -> None:
    decision = decided(Refused("no right"), step="contacts", warning="before")
    assert (decision.change.state, decision.change.step) == ("waiting", "without_contacts")
    assert decision.change.warning == "before\nno right"
    assert decision.result.outcome == "failed"


def test_a_warning_is_written_once_and_an_earlier_one_stays() -> None:
    assert decided(Next("create", warning="one"), warning="one").change.warning == "one"
    assert "warning" not in decided(Next("create"), warning="one").change.columns()


def test_an_error_of_ours_keeps_its_traceback_without_secrets() -> None:
    error = attempt(lambda: 1 / 0)
    note = decided(error).change.note
    assert "ZeroDivisionError" in note
    assert "Traceback" in note
    token = "https://portal.bitrix24.ru/rest/1/abcdefghij123456/"
    assert "abcdefghij123456" not in decided(KeyError(token)).change.note


def test_a_long_code_fits_the_log() -> None:
    assert len(decided(Refused("x", code="C" * 99)).result.code) == 60


def test_our_own_database_decides_nothing() -> None:
    """Its trouble says nothing about the job: the lease runs out, and the job comes again."""

    def work() -> None:
        raise OperationalError

    with pytest.raises(OperationalError):
        attempt(work)


def test_equal_changes_are_one_statement() -> None:
    assert len({decided(Next("create")).change, decided(Next("create")).change}) == 1


def test_a_free_probe_never_ends_a_job() -> None:
    change = decided(OutcomeUnknown("x"), attempts=99, is_probe=True).change
    assert (change.state, change.attempts) == ("waiting", 98)
    assert change.due_at > NOON - timedelta(seconds=1)
