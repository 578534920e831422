"""What is reported to the source card: comment and stage in one request, each once."""

from __future__ import annotations

import pytest

from sync.models import Attempt, Job, Link, Pace

COMMENT, STAGE = "crm.timeline.comment.add", "crm.item.update"
SEED = "C2:NEW"
PASSED_ON = "C2:UC_MXQPC8"


def set_fault(pair, method: str, *, count: int | None = None, **how) -> None:
    """Let calls of that method on the source fail; the first `count` of them, or all."""
    rule = {"methods": [method], **({"count": count} if count else {}), **how}
    pair.source.post("faults", {"rules": [rule]})


def send_deals(pair, count: int = 1) -> list[str]:
    """Add deals on the source and store their webhooks; their IDs."""
    ids = pair.seed(count)
    for deal_id in ids:
        pair.webhook(deal_id)
    return ids


def steps_of(job: Job) -> list[str]:
    """The steps of the job's attempts, in their order."""
    return list(Attempt.objects.filter(job=job).order_by("id").values_list("step", flat=True))


def test_comment_and_stage_share_a_request(pair):
    ids = send_deals(pair, 3)
    before = pair.source.get("stats")["requests"]
    pair.run()
    assert (
        pair.source.get("stats")["requests"] - before == 2
    )  # one request reads all three, one reports all three
    for deal_id in ids:
        assert len(pair.comments(deal_id)) == 1
        assert pair.card(deal_id)["STAGE_ID"] == PASSED_ON
    assert steps_of(Job.objects.first()) == ["fetch", "create", "announce"]


def test_more_than_half_a_request_of_deals_goes_in_two(pair):
    send_deals(pair, 30)
    before = pair.source.get("stats")["requests"]
    pair.run()
    assert pair.source.get("stats")["requests"] - before == 3
    assert Job.objects.filter(state="done").count() == 30


@pytest.mark.parametrize(
    ("options", "steps", "comments", "stage"),
    [
        ({"comment": "Deal {target_id}"}, ["fetch", "create", "comment"], 1, SEED),
        ({"stage": PASSED_ON}, ["fetch", "create", "stage"], 0, PASSED_ON),
        ({}, ["fetch", "create"], 0, SEED),
    ],
)
def test_what_a_route_does_not_want_costs_no_step(pair, options, steps, comments, stage):
    pair.route.options = options
    pair.route.save()
    [deal_id] = send_deals(pair)
    pair.run()
    assert steps_of(pair.job()) == steps
    assert len(pair.comments(deal_id)) == comments
    assert pair.card(deal_id)["STAGE_ID"] == stage
    assert Link.objects.get().reported_at


def test_a_card_that_staff_moved_on_is_not_moved_back_for_a_late_comment(pair):
    [deal_id] = send_deals(pair)
    set_fault(pair, COMMENT, count=1, command_error=1.0)
    pair.fast_forward(rounds=2)
    assert pair.card(deal_id)["STAGE_ID"] == PASSED_ON
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"STAGE_ID": "C2:WON"}})
    pair.fast_forward(rounds=4)
    assert pair.job().state == "done"
    assert len(pair.comments(deal_id)) == 1
    assert pair.card(deal_id)["STAGE_ID"] == "C2:WON"
    assert pair.calls("source", STAGE) == 1


def test_a_stage_that_fails_goes_on_alone_and_the_comment_is_not_written_again(pair):
    [deal_id] = send_deals(pair)
    set_fault(pair, STAGE, count=1, command_error=1.0)
    pair.fast_forward(rounds=6)
    assert pair.job().state == "done"
    assert len(pair.comments(deal_id)) == 1
    assert pair.card(deal_id)["STAGE_ID"] == PASSED_ON
    assert steps_of(pair.job()) == ["fetch", "create", "announce", "stage"]


@pytest.mark.parametrize("where", ["before", "inside"])  # all was done; the comment was, the stage not
def test_a_lost_answer_writes_no_comment_twice(pair, where):
    [deal_id] = send_deals(pair)
    set_fault(pair, COMMENT, count=1, cut=1.0, cut_where=where)
    pair.fast_forward(rounds=6)
    assert pair.job().state == "done"
    assert len(pair.comments(deal_id)) == 1
    assert pair.card(deal_id)["STAGE_ID"] == PASSED_ON
    assert steps_of(pair.job())[2:] == ["announce", "find_comment", "stage"]


def test_a_request_shrunk_to_one_command_still_reports_all(pair):
    [deal_id] = send_deals(pair)
    Pace.of(pair.from_portal)
    Pace.objects.update(shrunk=6)
    pair.run()
    assert len(pair.comments(deal_id)) == 1
    assert pair.card(deal_id)["STAGE_ID"] == PASSED_ON
    assert steps_of(pair.job())[2:] == ["announce", "comment", "stage"]
