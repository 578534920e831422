"""Leads under faults: one lead a user, and whoever asked hears what became of it."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from sync.engine.notifications import cancel
from sync.maintenance import recovery
from sync.models import Attempt, Job, Link, Message, Pace, Portal, Slot
from tests.flows.conftest import Desk, user

HOUR = timedelta(hours=1)


def fault(desk: Desk, **rule: object) -> None:
    desk.portal.post("faults", {"rules": [rule]} if rule else {})


def arrivals(desk: Desk) -> list[str]:
    """Origin of each lead: two equal ones are a user with two leads."""
    return sorted(lead["ORIGIN_ID"] for lead in desk.leads())


def test_a_lost_answer_to_a_create_makes_no_second_lead(desk: Desk):
    fault(desk, cut=1.0, count=1, methods=["crm.lead.add"])
    desk.send("create", *(user(number) for number in range(1, 6)))
    desk.run()
    assert arrivals(desk) == ["1", "2", "3", "4", "5"]
    assert sorted(reply["user_id"] for reply in desk.replies("success")) == [1, 2, 3, 4, 5]
    assert {reply["bitrix_lead_id"] for reply in desk.replies()} == {int(lead["ID"]) for lead in desk.leads()}


def test_a_batch_that_breaks_in_the_middle_is_completed(desk: Desk):
    fault(desk, cut=1.0, cut_where="inside", count=1, methods=["crm.lead.add"])
    desk.send("create", *(user(number) for number in range(1, 11)))
    desk.run()
    assert len(set(arrivals(desk))) == len(arrivals(desk)) == 10
    assert len(desk.replies("success")) == 10


def test_a_create_still_under_way_when_its_line_broke_is_waited_for(desk: Desk):
    fault(desk, cut=1.0, cut_where="early", latency=0.4, count=1, methods=["crm.lead.add"])
    desk.send("create", user())
    desk.run()
    assert arrivals(desk) == ["1"]


def die_in_mid_call(desk: Desk, method: str) -> None:
    """A worker process is killed while its request is under way at the portal."""
    fault(desk, hang=1.0, hang_seconds=3, methods=[method])
    before = desk.asked(method)
    child = os.fork()
    if not child:
        connection.close()
        desk.drain()
        os._exit(0)
    connection.close()
    ends = time.monotonic() + 15
    while time.monotonic() < ends and desk.asked(method) == before:
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    fault(desk)
    Job.objects.update(lease_until=timezone.now() - HOUR)
    Slot.objects.update(lease_until=0)
    recovery.sweep()


@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_worker_killed_in_mid_create_makes_no_second_lead(desk: Desk):
    desk.send("create", user())
    die_in_mid_call(desk, "crm.lead.add")
    assert Job.objects.get().step == "find_lead"
    assert Link.objects.get().state == "creating"
    desk.run()
    assert arrivals(desk) == ["1"]
    assert [reply["status"] for reply in desk.replies()] == ["success"]


@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_worker_killed_in_mid_update_adds_no_second_number(desk: Desk):
    lead_id = desk.portal.call("crm.lead.add", {"fields": {"NAME": "without a phone"}})
    desk.send("update", user(bitrix_lead_id=lead_id))
    die_in_mid_call(desk, "crm.lead.update")
    desk.run()
    assert desk.phones() == ["+79000000001"]


def test_a_lost_answer_to_an_update_adds_no_second_number(desk: Desk):
    lead_id = desk.portal.call("crm.lead.add", {"fields": {"NAME": "without a phone"}})
    fault(desk, cut=1.0, count=1, methods=["crm.lead.update"])
    desk.send("update", user(bitrix_lead_id=lead_id))
    desk.run()
    assert desk.phones() == ["+79000000001"]
    assert [reply["status"] for reply in desk.replies()] == ["success"]


def test_a_create_delivered_again_makes_no_second_lead(desk: Desk):
    for _ in range(3):
        desk.send("create", user())
    desk.run()
    assert arrivals(desk) == ["1"]
    assert len(desk.replies("success")) == 3


def test_a_new_request_after_a_cancelled_unknown_create_looks_first(desk: Desk):
    fault(desk, cut=1.0, count=1, methods=["crm.lead.add"])
    desk.send("create", user())
    desk.drain()
    assert Job.objects.get().step == "find_lead"
    assert Job.objects.cancel(now=timezone.now()) == 1
    desk.send("create", user())
    desk.run()
    assert arrivals(desk) == ["1"]


def test_what_staff_have_mapped_meanwhile_stays(desk: Desk):
    chosen = str(desk.portal.call("crm.lead.add", {"fields": {"NAME": "chosen by staff"}}))
    fault(desk, cut=1.0, count=1, methods=["crm.lead.add"])
    desk.send("create", user())
    desk.drain()
    assert Job.objects.get().step == "find_lead"
    Link.objects.update(state="linked", target_id=chosen)
    desk.run()
    assert Link.objects.get().target_id == chosen
    assert desk.replies()[0]["bitrix_lead_id"] == int(chosen)


def test_an_update_after_a_create_that_failed_makes_the_lead(desk: Desk):
    desk.send("create", user(stage="NO_SUCH"))
    desk.run()
    desk.send("update", user(full_name="Corrected"))
    desk.run()
    assert [lead["NAME"] for lead in desk.leads()] == ["Corrected"]
    assert [reply["status"] for reply in desk.replies()] == ["error", "success"]
    Job.objects.requeue(now=timezone.now())  # staff press Retry on the create
    desk.run()
    assert [lead["NAME"] for lead in desk.leads()] == ["Corrected"]
    assert [reply["status"] for reply in desk.replies()] == ["error", "success", "success"]


def test_three_tries_two_and_four_seconds_apart_then_the_error_is_told(desk: Desk):
    """An error in the answer to the one command: not the portal as a whole."""
    fault(desk, refuse=1.0, refuse_as="error", methods=["crm.lead.update"])
    desk.send("create", user())
    desk.run()
    desk.send("move", user(stage="JUNK"))
    waits = []
    while not desk.replies("error"):
        desk.drain()
        job = Job.objects.latest("pk")
        if job.state == "waiting":
            waits.append((job.due_at - timezone.now()).total_seconds())
            Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    assert [round(wait) for wait in waits] == [2, 4]
    [error] = desk.replies("error")
    assert (error["attempts"], error["final_attempt"]) == (3, True)
    assert Job.objects.latest("pk").failure == "exhausted"
    fault(desk)
    Job.objects.requeue(now=timezone.now())
    desk.run()
    assert desk.replies()[-1]["status"] == "success"


@pytest.mark.parametrize("rule", [{"away": True}, {"html": 1.0}])
def test_an_outage_is_told_after_the_third_try_and_the_later_success_too(desk: Desk, rule):
    desk.send("create", user(1), user(2))
    desk.run()
    fault(desk, **rule)
    desk.send("move", user(1, stage="JUNK"), user(2, stage="JUNK"))
    for tries in range(1, 13):
        desk.try_once()
        assert Job.objects.filter(state="waiting").count() == 2, "an outage fails nothing"
        told = sorted((reply["user_id"], reply["attempts"]) for reply in desk.replies("error"))
        assert tries < 3 or (1, 3) in told or (2, 3) in told
    assert told == [(1, 3), (2, 3)], "once each"
    assert Pace.of(desk.route.target).is_away
    fault(desk)
    while Job.objects.filter(state="waiting").exists():
        desk.try_once()
    assert [reply["status"] for reply in desk.replies()] == ["success"] * 2 + ["error"] * 2 + ["success"] * 2
    assert {lead["STATUS_ID"] for lead in desk.leads()} == {"JUNK"}
    assert min(reply["attempts"] for reply in desk.replies()[-2:]) > 3


def test_limits_of_the_portal_are_no_tries(desk: Desk):
    desk.send("create", user())
    desk.run()
    fault(desk, refuse=1.0, refuse_as="query_limit", count=5)
    desk.send("move", user(stage="JUNK"))
    for _ in range(6):
        Pace.objects.update(tat=0, bucket_tat=0)
        desk.try_once()
    desk.run()
    assert [reply["status"] for reply in desk.replies()] == ["success", "success"]
    assert desk.replies()[-1]["attempts"] == 1


def test_a_record_that_itself_breaks_the_portal_ends_some_day(desk: Desk):
    desk.send("create", user())
    desk.run()
    fault(desk, html=1.0, methods=["crm.lead.update"])
    desk.send("move", user(stage="JUNK"))
    for _ in range(30):
        Pace.objects.update(failures=0)  # other requests of the portal pass in between
        desk.try_once()
    job = Job.objects.latest("pk")
    assert (job.state, job.failure) == ("failed", "exhausted")
    assert Attempt.objects.filter(job=job).count() == 10
    assert [reply["attempts"] for reply in desk.replies("error")] == [3, 10]


def test_what_the_portal_refuses_is_told_at_once(desk: Desk):
    desk.send("create", user())
    desk.run()
    desk.portal.emulator.portal.entities[1].hidden = {1}
    desk.send("move", user(stage="JUNK"))
    desk.run()
    assert Job.objects.latest("pk").failure in ("refused", "config")
    assert [reply["attempts"] for reply in desk.replies("error")] == [1]


def test_an_error_of_ours_is_told_without_its_inside(desk: Desk, monkeypatch):
    monkeypatch.setattr("sync.flows.leads.creating.lead_of", lambda *_: 1 / 0)
    desk.send("create", user())
    desk.run()
    [error] = desk.replies("error")
    assert "Traceback" not in error["reason"]
    assert str(Job.objects.get().pk) in error["reason"]
    assert "ZeroDivisionError" in Job.objects.get().note


def test_a_request_that_staff_cancel_is_answered_and_a_later_success_too(desk: Desk):
    Portal.objects.filter(kind="bitrix24").update(is_paused=True)
    desk.send("create", user(1), user(2, stage="NO_SUCH"))
    desk.drain()
    assert cancel(Job.objects.filter(source_id="1")) == 1
    [error] = desk.replies()
    assert (error["user_id"], error["final_attempt"]) == (1, True)
    Portal.objects.update(is_paused=False)
    Job.objects.requeue(now=timezone.now())
    desk.run()
    assert [reply["status"] for reply in desk.replies()] == ["error", "success", "error"]
    assert cancel(Job.objects.all()) == 1
    assert len(desk.replies()) == 3, "of the one that failed the core has heard already"


def test_a_wrong_key_is_told_and_the_rest_waits_for_the_portal(desk: Desk):
    good = desk.route.target.webhook_url
    Portal.objects.filter(kind="bitrix24").update(webhook_url=good.replace("demo0code", "wrong"))
    desk.send("create", *(user(number) for number in range(1, 4)))
    desk.drain()
    assert len(desk.replies("error")) == 3
    Portal.objects.filter(kind="bitrix24").update(webhook_url=good)
    Job.objects.requeue(now=timezone.now())
    Pace.objects.update(failures=0, away_until=0)
    desk.run()
    assert len(desk.replies("success")) == len(desk.leads()) == 3


def test_replies_commit_with_the_state_they_tell_of(desk: Desk, monkeypatch):
    """A crash in the settling transaction leaves neither."""

    def crash(*_: object) -> None:
        raise ConnectionError("the process dies here")

    desk.send("create", user())
    with monkeypatch.context() as broken:
        broken.setattr("sync.flows.leads.replies.outbox.put", lambda messages: crash() if messages else None)
        with pytest.raises(ConnectionError):
            desk.drain()
    assert not Message.objects.exists()
    assert Job.objects.get().state == "running"
    Job.objects.update(lease_until=timezone.now() - HOUR)
    Slot.objects.update(lease_until=0)
    recovery.sweep()
    desk.run()
    assert arrivals(desk) == ["1"]
    assert len(desk.replies("success")) == 1


def test_a_burst_costs_hardly_more_than_the_fewest_requests(desk: Desk):
    count = 5000
    desk.send("create", *(user(number) for number in range(1, count + 1)))
    desk.run(seconds=120)
    assert arrivals(desk) == sorted(str(number) for number in range(1, count + 1))
    assert len(desk.replies("success")) == count
    fewest = count / 50 + 1  # and one look at the portal
    assert desk.portal.get("stats")["requests"] <= fewest * 1.1


def test_who_waits_behind_an_open_breaker_is_told_too_and_once(desk: Desk, monkeypatch):
    """One job at a time is tried then: of many users most would never have a third try."""
    monkeypatch.setattr("sync.engine.notifications.PATIENCE", timedelta(0))
    fault(desk, away=True)
    desk.send("create", *(user(number) for number in range(1, 121)))
    for _ in range(12):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        Pace.objects.update(tat=0, bucket_tat=0)
        desk.drain()
    assert Pace.of(desk.route.target).is_away
    late = user(121)
    desk.send("create", late)
    desk.drain()
    told = sorted(reply["user_id"] for reply in desk.replies("error"))
    assert told == list(range(1, 122)), "everybody, and nobody twice"
    assert all(reply["reason"] for reply in desk.replies("error"))
    assert Job.objects.filter(state="waiting").count() == 121
    fault(desk)
    Pace.objects.update(failures=0, away_until=0)
    Job.objects.filter(state="waiting").update(due_at=timezone.now())
    desk.run()
    assert sorted(reply["user_id"] for reply in desk.replies("success")) == list(range(1, 122))
    assert len(desk.replies()) == 242
    assert arrivals(desk) == sorted(str(number) for number in range(1, 122))


def test_a_fresh_request_has_a_moment_before_its_portal_is_called_away(desk: Desk):
    fault(desk, away=True)
    desk.send("create", user())
    for _ in range(8):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        Pace.objects.update(tat=0, bucket_tat=0)
        desk.drain()
        if Pace.of(desk.route.target).is_away:
            break
    Attempt.objects.all().delete()  # as if it had come just now
    Pace.objects.update(away_until=time.time() + 60)
    before = len(desk.replies())
    desk.drain()
    assert len(desk.replies()) == before
    Job.objects.update(created_at=timezone.now() - HOUR)
    Job.objects.filter(state="waiting").update(due_at=timezone.now())
    desk.drain()
    assert len(desk.replies()) == before + 1
