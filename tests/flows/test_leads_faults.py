"""Leads under faults: one lead a user, and every request gets its reply."""

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
from tests.flows.conftest import LeadsRig, user

HOUR = timedelta(hours=1)


def set_fault(rig: LeadsRig, **rule: object) -> None:
    """Let the portal fail by this one rule, or no longer when none is given."""
    rig.portal.post("faults", {"rules": [rule]} if rule else {})


def origins(rig: LeadsRig) -> list[str]:
    """The user ID of each lead; two equal ones mean a user with two leads."""
    return sorted(lead["ORIGIN_ID"] for lead in rig.leads())


def test_a_lost_answer_to_a_create_makes_no_second_lead(rig: LeadsRig):
    set_fault(rig, cut=1.0, count=1, methods=["crm.lead.add"])
    rig.send("create", *(user(number) for number in range(1, 6)))
    rig.run()
    assert origins(rig) == ["1", "2", "3", "4", "5"]
    assert sorted(reply["user_id"] for reply in rig.replies("success")) == [1, 2, 3, 4, 5]
    assert {reply["bitrix_lead_id"] for reply in rig.replies()} == {int(lead["ID"]) for lead in rig.leads()}


def test_a_batch_that_breaks_in_the_middle_is_completed(rig: LeadsRig):
    set_fault(rig, cut=1.0, cut_where="inside", count=1, methods=["crm.lead.add"])
    rig.send("create", *(user(number) for number in range(1, 11)))
    rig.run()
    assert len(set(origins(rig))) == len(origins(rig)) == 10
    assert len(rig.replies("success")) == 10


def test_a_create_still_running_when_its_connection_broke_is_waited_for(rig: LeadsRig):
    set_fault(rig, cut=1.0, cut_where="early", latency=0.4, count=1, methods=["crm.lead.add"])
    Portal.objects.update(request_seconds=1)
    rig.send("create", user())
    rig.run(is_patient=True)
    assert origins(rig) == ["1"]


def kill_worker_in_call(rig: LeadsRig, method: str) -> None:
    """Fork a worker and kill it while the portal runs its call; then sweep as if its lease had expired."""
    set_fault(rig, hang=1.0, hang_seconds=3, methods=[method])
    before = rig.calls(method)
    child = os.fork()
    if not child:
        connection.close()
        rig.drain()
        os._exit(0)
    connection.close()
    ends = time.monotonic() + 15
    while time.monotonic() < ends and rig.calls(method) == before:
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    set_fault(rig)
    Job.objects.update(lease_until=timezone.now() - HOUR)
    Slot.objects.update(lease_until=0)
    recovery.sweep()


@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_worker_killed_in_mid_create_makes_no_second_lead(rig: LeadsRig):
    rig.send("create", user())
    kill_worker_in_call(rig, "crm.lead.add")
    assert Job.objects.get().step == "find_lead"
    assert Link.objects.get().state == "creating"
    rig.run()
    assert origins(rig) == ["1"]
    assert [reply["status"] for reply in rig.replies()] == ["success"]


@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_worker_killed_in_mid_update_adds_no_second_number(rig: LeadsRig):
    lead_id = rig.portal.call("crm.lead.add", {"fields": {"NAME": "without a phone"}})
    rig.send("update", user(bitrix_lead_id=lead_id))
    kill_worker_in_call(rig, "crm.lead.update")
    rig.run()
    assert rig.phones() == ["+79000000001"]


def test_a_lost_answer_to_an_update_adds_no_second_number(rig: LeadsRig):
    lead_id = rig.portal.call("crm.lead.add", {"fields": {"NAME": "without a phone"}})
    set_fault(rig, cut=1.0, count=1, methods=["crm.lead.update"])
    rig.send("update", user(bitrix_lead_id=lead_id))
    rig.run()
    assert rig.phones() == ["+79000000001"]
    assert [reply["status"] for reply in rig.replies()] == ["success"]


def test_a_create_delivered_again_makes_no_second_lead(rig: LeadsRig):
    for _ in range(3):
        rig.send("create", user())
    rig.run()
    assert origins(rig) == ["1"]
    assert len(rig.replies("success")) == 3


def test_a_new_request_after_a_cancelled_unknown_create_looks_first(rig: LeadsRig):
    set_fault(rig, cut=1.0, count=1, methods=["crm.lead.add"])
    rig.send("create", user())
    rig.drain()
    assert Job.objects.get().step == "find_lead"
    assert Job.objects.cancel(now=timezone.now()) == 1
    rig.send("create", user())
    rig.run()
    assert origins(rig) == ["1"]


def test_what_staff_have_mapped_meanwhile_stays(rig: LeadsRig):
    chosen = str(rig.portal.call("crm.lead.add", {"fields": {"NAME": "chosen by staff"}}))
    set_fault(rig, cut=1.0, count=1, methods=["crm.lead.add"])
    rig.send("create", user())
    rig.drain()
    assert Job.objects.get().step == "find_lead"
    Link.objects.update(state="linked", target_id=chosen)
    rig.run()
    assert Link.objects.get().target_id == chosen
    assert rig.replies()[0]["bitrix_lead_id"] == int(chosen)


def test_an_update_after_a_create_that_failed_makes_the_lead(rig: LeadsRig):
    rig.send("create", user(stage="NO_SUCH"))
    rig.run()
    rig.send("update", user(full_name="Corrected"))
    rig.run()
    assert [lead["NAME"] for lead in rig.leads()] == ["Corrected"]
    assert [reply["status"] for reply in rig.replies()] == ["error", "success"]
    Job.objects.requeue(now=timezone.now())  # staff press Retry on the create
    rig.run()
    assert [lead["NAME"] for lead in rig.leads()] == ["Corrected"]
    assert [reply["status"] for reply in rig.replies()] == ["error", "success", "success"]


def test_three_tries_two_and_four_seconds_apart_then_an_error_reply(rig: LeadsRig):
    """An error in the answer to the one command: not the portal as a whole."""
    set_fault(rig, refuse=1.0, refuse_as="error", methods=["crm.lead.update"])
    rig.send("create", user())
    rig.run()
    rig.send("move", user(stage="JUNK"))
    waits = []
    while not rig.replies("error"):
        rig.drain()
        job = Job.objects.latest("pk")
        if job.state == "waiting":
            waits.append((job.due_at - timezone.now()).total_seconds())
            Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    assert [round(wait) for wait in waits] == [2, 4]
    [error] = rig.replies("error")
    assert (error["attempts"], error["final_attempt"]) == (3, True)
    assert Job.objects.latest("pk").failure == "exhausted"
    set_fault(rig)
    Job.objects.requeue(now=timezone.now())
    rig.run()
    assert rig.replies()[-1]["status"] == "success"


@pytest.mark.parametrize("rule", [{"away": True}, {"html": 1.0}])
def test_an_outage_is_replied_after_the_third_try_and_the_later_success_too(rig: LeadsRig, rule):
    rig.send("create", user(1), user(2))
    rig.run()
    set_fault(rig, **rule)
    rig.send("move", user(1, stage="JUNK"), user(2, stage="JUNK"))
    for tries in range(1, 13):
        rig.try_once()
        assert Job.objects.filter(state="waiting").count() == 2, "an outage fails nothing"
        errors = sorted((reply["user_id"], reply["attempts"]) for reply in rig.replies("error"))
        assert tries < 3 or (1, 3) in errors or (2, 3) in errors
    assert errors == [(1, 3), (2, 3)], "once each"
    assert Pace.of(rig.route.target).is_away
    set_fault(rig)
    while Job.objects.filter(state="waiting").exists():
        rig.try_once()
    assert [reply["status"] for reply in rig.replies()] == ["success"] * 2 + ["error"] * 2 + ["success"] * 2
    assert {lead["STATUS_ID"] for lead in rig.leads()} == {"JUNK"}
    assert min(reply["attempts"] for reply in rig.replies()[-2:]) > 3


def test_limits_of_the_portal_are_no_tries(rig: LeadsRig):
    rig.send("create", user())
    rig.run()
    set_fault(rig, refuse=1.0, refuse_as="query_limit", count=5)
    rig.send("move", user(stage="JUNK"))
    for _ in range(6):
        Pace.objects.update(tat=0, bucket_tat=0)
        rig.try_once()
    rig.run()
    assert [reply["status"] for reply in rig.replies()] == ["success", "success"]
    assert rig.replies()[-1]["attempts"] == 1


def test_a_record_that_itself_breaks_the_portal_ends_some_day(rig: LeadsRig):
    rig.send("create", user())
    rig.run()
    set_fault(rig, html=1.0, methods=["crm.lead.update"])
    rig.send("move", user(stage="JUNK"))
    for _ in range(30):
        Pace.objects.update(failures=0)  # other requests of the portal pass in between
        rig.try_once()
    job = Job.objects.latest("pk")
    assert (job.state, job.failure) == ("failed", "exhausted")
    assert Attempt.objects.filter(job=job).count() == 10
    assert [reply["attempts"] for reply in rig.replies("error")] == [3, 10]


def test_what_the_portal_refuses_is_replied_at_once(rig: LeadsRig):
    rig.send("create", user())
    rig.run()
    rig.portal.emulator.portal.entities[1].hidden = {1}
    rig.send("move", user(stage="JUNK"))
    rig.run()
    assert Job.objects.latest("pk").failure in ("refused", "config")
    assert [reply["attempts"] for reply in rig.replies("error")] == [1]


def test_a_bug_is_replied_without_its_traceback(rig: LeadsRig, monkeypatch):
    monkeypatch.setattr("sync.flows.leads.creating.lead_of", lambda *_: 1 / 0)
    rig.send("create", user())
    rig.run()
    [error] = rig.replies("error")
    assert "Traceback" not in error["reason"]
    assert str(Job.objects.get().pk) in error["reason"]
    assert "ZeroDivisionError" in Job.objects.get().note


def test_a_request_that_staff_cancel_is_answered_and_a_later_success_too(rig: LeadsRig):
    Portal.objects.filter(kind="bitrix24").update(is_paused=True)
    rig.send("create", user(1), user(2, stage="NO_SUCH"))
    rig.drain()
    assert cancel(Job.objects.filter(source_id="1")) == 1
    [error] = rig.replies()
    assert (error["user_id"], error["final_attempt"]) == (1, True)
    Portal.objects.update(is_paused=False)
    Job.objects.requeue(now=timezone.now())
    rig.run()
    assert [reply["status"] for reply in rig.replies()] == ["error", "success", "error"]
    assert cancel(Job.objects.all()) == 1
    assert len(rig.replies()) == 3, "the core already has the reply to the one that failed"


def test_a_wrong_key_is_replied_and_the_rest_waits_for_the_portal(rig: LeadsRig):
    good = rig.route.target.webhook_url
    Portal.objects.filter(kind="bitrix24").update(webhook_url=good.replace("demo0code", "wrong"))
    rig.send("create", *(user(number) for number in range(1, 4)))
    rig.drain()
    assert len(rig.replies("error")) == 3
    Portal.objects.filter(kind="bitrix24").update(webhook_url=good)
    Job.objects.requeue(now=timezone.now())
    Pace.objects.update(failures=0, away_until=0)
    rig.run()
    assert len(rig.replies("success")) == len(rig.leads()) == 3


def test_replies_commit_with_the_state_they_report(rig: LeadsRig, monkeypatch):
    """A crash in the settling transaction leaves neither."""

    def crash(*_: object) -> None:
        raise ConnectionError("the process dies here")

    rig.send("create", user())
    with monkeypatch.context() as broken:
        broken.setattr("sync.flows.leads.replies.outbox.put", lambda messages: crash() if messages else None)
        with pytest.raises(ConnectionError):
            rig.drain()
    assert not Message.objects.exists()
    assert Job.objects.get().state == "running"
    Job.objects.update(lease_until=timezone.now() - HOUR)
    Slot.objects.update(lease_until=0)
    recovery.sweep()
    rig.run()
    assert origins(rig) == ["1"]
    assert len(rig.replies("success")) == 1


def test_a_burst_costs_hardly_more_than_the_fewest_requests(rig: LeadsRig):
    count = 1000
    rig.send("create", *(user(number) for number in range(1, count + 1)))
    rig.run()
    assert origins(rig) == sorted(str(number) for number in range(1, count + 1))
    assert len(rig.replies("success")) == count
    fewest = count / 50 + 1  # and one look at the portal
    assert rig.portal.get("stats")["requests"] <= fewest * 1.1


def test_who_waits_behind_an_open_breaker_gets_a_reply_too_and_once(rig: LeadsRig, monkeypatch):
    """One job at a time is tried then: of many users most would never have a third try."""
    monkeypatch.setattr("sync.engine.notifications.PATIENCE", timedelta(0))
    set_fault(rig, away=True)
    rig.send("create", *(user(number) for number in range(1, 121)))
    for _ in range(12):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        Pace.objects.update(tat=0, bucket_tat=0)
        rig.drain()
    assert Pace.of(rig.route.target).is_away
    late = user(121)
    rig.send("create", late)
    rig.drain()
    users = sorted(reply["user_id"] for reply in rig.replies("error"))
    assert users == list(range(1, 122)), "everybody, and nobody twice"
    assert all(reply["reason"] for reply in rig.replies("error"))
    assert Job.objects.filter(state="waiting").count() == 121
    set_fault(rig)
    Pace.objects.update(failures=0, away_until=0)
    Job.objects.filter(state="waiting").update(due_at=timezone.now())
    rig.run()
    assert sorted(reply["user_id"] for reply in rig.replies("success")) == list(range(1, 122))
    assert len(rig.replies()) == 242
    assert origins(rig) == sorted(str(number) for number in range(1, 122))


def test_a_fresh_request_has_a_moment_before_its_portal_is_called_away(rig: LeadsRig):
    set_fault(rig, away=True)
    rig.send("create", user())
    for _ in range(8):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        Pace.objects.update(tat=0, bucket_tat=0)
        rig.drain()
        if Pace.of(rig.route.target).is_away:
            break
    Attempt.objects.all().delete()  # as if it had come just now
    Pace.objects.update(away_until=time.time() + 60)
    before = len(rig.replies())
    rig.drain()
    assert len(rig.replies()) == before
    Job.objects.update(created_at=timezone.now() - HOUR)
    Job.objects.filter(state="waiting").update(due_at=timezone.now())
    rig.drain()
    assert len(rig.replies()) == before + 1
