"""Each guarantee by itself: without the code behind it, a test here fails."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from sync import engine, inbox
from sync.connectors.types import IncomingEvent
from sync.maintenance import recovery
from sync.models import Attempt, Event, Job, Link, Pace, Portal, Slot

HOUR = timedelta(hours=1)


def claim(pair, holder: str, *, lasts: timedelta = HOUR) -> list[Job]:
    """Claim the jobs that wait to be fetched, as a worker named `holder` does."""
    now = timezone.now()
    return Job.objects.claim(
        {pair.route.pk: 50},
        portal_id=pair.from_portal.pk,
        step="fetch",
        now=now,
        until=now + lasts,
        holder=holder,
    )


def test_equal_webhooks_are_one_event(pair):
    [deal_id] = pair.seed()
    pair.sent = 5
    for _ in range(3):
        pair.sent = 5  # the sender's moment is the same: a repetition, not a new change
        pair.webhook(deal_id)
    event = Event.objects.get()
    assert event.repeats == 2
    pair.run()
    assert len(pair.deals()) == 1


def test_a_second_change_within_the_second_of_the_first_is_not_lost(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    pair.run()
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": "changed in the same second"}})
    pair.sent -= 1  # the portal's clock shows whole seconds: this webhook equals the first
    pair.webhook(deal_id)
    pair.run()
    assert Event.objects.count() == 1
    assert pair.deals()[0]["TITLE"] == "changed in the same second"


def test_robots_without_a_timestamp_are_equal_only_for_a_while(pair, settings):
    event = IncomingEvent("deal", "", "5", own_id="5", params={"segment": "дизайнер"})
    assert inbox.receive(pair.from_portal, event, details={})
    assert not inbox.receive(pair.from_portal, event, details={})
    settings.DUPLICATE_WINDOW_SECONDS = 1
    time.sleep(1.1)
    assert inbox.receive(pair.from_portal, event, details={})


def test_claimed_jobs_cannot_be_claimed_again(pair):
    for deal_id in pair.seed(3):
        pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    assert len(claim(pair, "one")) == 3
    assert claim(pair, "two") == []
    assert engine.return_expired() == 0


def test_an_expired_lease_gives_the_job_back_with_its_attempt_counted(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    claim(pair, "dead", lasts=-HOUR)
    assert engine.return_expired() == 1
    job = pair.job()
    assert (job.state, job.step, job.attempts) == ("waiting", "fetch", 1)
    pair.run()
    assert pair.job().state == "done"


def test_a_job_that_kills_its_worker_again_and_again_fails_for_staff(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    for _ in range(10):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        claim(pair, "dead", lasts=-HOUR)
        engine.return_expired()
    assert (pair.job().state, pair.job().failure) == ("failed", "exhausted")


def test_a_worker_that_comes_back_too_late_writes_nothing(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    claim(pair, "slow", lasts=-HOUR)
    engine.return_expired()
    with transaction.atomic():
        assert Job.objects.still_held([pair.job().pk], holder="slow") == {}
    assert Job.objects.settle([pair.job().pk], holder="slow", state="done") == 0


def kill_worker_in_create(pair) -> None:
    """Fork a worker and kill it while the portal runs its create."""
    pair.target.post("faults", {"rules": [{"hang": 1.0, "hang_seconds": 3, "methods": ["crm.item.add"]}]})
    child = os.fork()
    if not child:
        connection.close()
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)
        os._exit(0)
    connection.close()
    ends = time.monotonic() + 15
    while time.monotonic() < ends and not pair.deals():
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pair.target.post("faults", {})


@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_worker_killed_in_mid_create_makes_no_second_deal(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    kill_worker_in_create(pair)
    assert Link.objects.get().state == "creating"  # the stored intent
    Job.objects.update(lease_until=timezone.now() - HOUR)
    Slot.objects.update(lease_until=0)
    recovery.sweep()
    assert pair.job().step == "find"
    pair.run()
    assert [deal["ORIGIN_ID"] for deal in pair.deals()] == [str(deal_id)]
    assert pair.job().state == "done"
    assert pair.job().target_id == pair.deals()[0]["ID"]


def test_a_create_still_running_when_its_connection_broke_is_waited_for(pair):
    [deal_id] = pair.seed()
    rule = {"cut": 1.0, "cut_where": "early", "latency": 0.4, "count": 1, "methods": ["crm.item.add"]}
    pair.target.post("faults", {"rules": [rule]})
    Portal.objects.update(request_seconds=1)
    pair.webhook(deal_id)
    pair.run(is_patient=True)
    assert [deal["ORIGIN_ID"] for deal in pair.deals()] == [str(deal_id)]


def test_a_new_webhook_after_a_cancelled_unknown_create_looks_before_it_creates(pair):
    [deal_id] = pair.seed()
    pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": ["crm.item.add"]}]})
    pair.webhook(deal_id)
    engine.drain(pair.from_portal.pk)
    engine.drain(pair.to_portal.pk, seconds=0.05)  # one request: on a slow machine the look-up is due soon
    assert pair.job().step == "find"
    assert Job.objects.cancel(now=timezone.now()) == 1
    pair.webhook(deal_id)
    pair.run()
    assert len(pair.deals()) == 1
    assert Link.objects.get().target_id == pair.deals()[0]["ID"]


def test_the_database_itself_refuses_a_second_link(pair):
    Link.objects.create(route=pair.route, source_id="1", target_id="7")
    for double in ({"source_id": "1", "target_id": "8"}, {"source_id": "2", "target_id": "7"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Link.objects.create(route=pair.route, **double)


def test_a_lane_runs_one_job_at_a_time_and_in_order(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id, comments="first")
    inbox.sort(pair.from_portal)
    [running] = claim(pair, "one")
    pair.webhook(deal_id, comments="second")
    inbox.sort(pair.from_portal)
    second = Job.objects.exclude(pk=running.pk).get()
    assert (second.head_of, second.due_at) == (None, None)
    assert claim(pair, "two") == []
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=second.pk).update(head_of=second.lane)
    Job.objects.settle([running.pk], holder="one", state="done", head_of=None)
    Job.objects.promote([running.lane], now=timezone.now())
    assert [job.pk for job in claim(pair, "three")] == [second.pk]


def test_an_event_folds_into_the_waiting_job_of_its_record(pair):
    pair.map("COMMENTS", origin="param", source="comments")
    pair.map("UF_CRM_1773568858481", origin="param", source="article")
    [deal_id] = pair.seed()
    pair.webhook(deal_id, comments="first", article="A")
    pair.webhook(deal_id, comments="second", article="B")
    pair.run()
    assert pair.job().folded == 1
    [deal] = pair.deals()
    assert (deal["COMMENTS"], deal["UF_CRM_1773568858481"]) == ("first\nsecond", "B")


def test_an_open_breaker_lets_one_probe_through_and_spends_no_attempts(pair):
    for deal_id in pair.seed(20):
        pair.webhook(deal_id)
    engine.drain(pair.from_portal.pk)
    pair.target.post("faults", {"html": 1.0})
    for _ in range(30):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        engine.drain(pair.to_portal.pk)
    assert Pace.of(pair.to_portal).is_away
    Pace.objects.update(away_until=time.time() + 60)  # on a slow machine five seconds are soon over
    asked = pair.target.get("stats")["requests"]
    attempts = max(Job.objects.values_list("attempts", flat=True))
    for _ in range(20):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        engine.drain(pair.to_portal.pk)
    assert pair.target.get("stats")["requests"] == asked  # its next probe is not due
    Pace.objects.update(away_until=0)
    engine.drain(pair.to_portal.pk)
    engine.drain(pair.to_portal.pk)
    assert pair.target.get("stats")["requests"] == asked + 1
    assert Attempt.objects.latest("pk").parcel_size == 1
    assert max(Job.objects.values_list("attempts", flat=True)) == attempts
    pair.target.post("faults", {})
    Pace.objects.update(away_until=0)
    Job.objects.filter(state="waiting").update(due_at=timezone.now())
    pair.run()
    assert Job.objects.filter(state="done").count() == 20


def test_the_pace_is_shared_and_obeyed(pair):
    Portal.objects.update(requests_per_minute=60, burst=1)
    for deal_id in pair.seed(3):
        pair.webhook(deal_id)
    began = time.monotonic()
    pair.run(seconds=30)
    took = time.monotonic() - began
    stats = pair.source.get("stats")
    assert stats["limit_errors"] == 0
    assert took >= 0.7  # fetch, comment with stage: two requests a second apart, the later one 0.2 s early
    assert Job.objects.filter(state="done").count() == 3


def test_our_own_write_is_not_a_change(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    pair.run()
    writes = pair.target.get("stats")["calls"].get("crm.item.update", 0)
    pair.webhook(deal_id)
    pair.run()
    assert pair.target.get("stats")["calls"].get("crm.item.update", 0) == writes
    assert Job.objects.latest("pk").state == "skipped"


def test_two_portals_that_disagree_for_ever_are_stopped(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    pair.run()
    for number in range(40):
        pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": f"again {number}"}})
        pair.webhook(deal_id)
        pair.run()
        if Job.objects.filter(state="failed").exists():
            break
    job = Job.objects.get(state="failed")
    assert job.failure == "config"
    assert str(deal_id) in job.note
    assert number < 39


def test_a_failed_comment_never_fails_the_deal(pair):
    pair.source.post("faults", {"rules": [{"command_error": 1.0, "methods": ["crm.timeline.comment.add"]}]})
    ids = pair.seed(2)
    for deal_id in ids:
        pair.webhook(deal_id)
    pair.drain()
    for _ in range(60):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        engine.drain(pair.from_portal.pk)
    for job in Job.objects.all():
        assert job.state == "done", (job.step, job.note)
        assert "crm.timeline.comment.add" in job.warning
        assert pair.card(job.source_id)["STAGE_ID"] == "C2:UC_MXQPC8"


def test_a_comment_whose_answer_is_lost_is_not_written_twice(pair):
    [deal_id] = pair.seed()
    rule = {"cut": 1.0, "count": 1, "methods": ["crm.timeline.comment.add"]}
    pair.source.post("faults", {"rules": [rule]})
    pair.webhook(deal_id)
    pair.run()
    assert pair.comments(deal_id) == [f"Создана сделка №{pair.deals()[0]['ID']}"]


def test_a_parcel_that_times_out_is_halved_and_grows_back(pair):
    for deal_id in pair.seed(40):
        pair.webhook(deal_id)
    Portal.objects.update(request_seconds=0.5)
    pair.target.post("limits", {"request_limit": 0.5})
    pair.target.post("faults", {"command_latency": 0.05, "methods": ["crm.item.add"]})
    pair.run(seconds=60)
    assert Pace.of(pair.to_portal).shrunk > 0
    assert len(pair.deals()) == 40
    pair.target.post("faults", {})
    for deal_id in pair.seed(30):
        pair.webhook(deal_id)
        pair.run()
    assert Pace.of(pair.to_portal).shrunk == 0


def test_live_work_goes_before_a_backfill(pair):
    ids = pair.seed(4)
    inbox.queue(pair.route, [str(one) for one in ids[:3]])
    pair.webhook(ids[3])
    inbox.sort(pair.from_portal)
    jobs = Job.objects.claim(
        {pair.route.pk: 1},
        portal_id=pair.from_portal.pk,
        step="fetch",
        now=timezone.now(),
        until=timezone.now() + HOUR,
        holder="one",
    )
    assert [job.source_id for job in jobs] == [str(ids[3])]


def test_paused_routes_and_portals_keep_what_arrives(pair):
    [deal_id] = pair.seed()
    pair.route.is_paused = True
    pair.route.save(update_fields=["is_paused"])
    pair.webhook(deal_id)
    assert engine.drain(pair.from_portal.pk) == 0
    Portal.objects.update(is_paused=True)
    pair.route.is_paused = False
    pair.route.save(update_fields=["is_paused"])
    assert engine.drain(pair.from_portal.pk) == 0
    Portal.objects.update(is_paused=False)
    pair.run()
    assert len(pair.deals()) == 1


def test_an_id_given_twice_is_the_trouble_of_one_deal_alone(pair):
    """The target portal was restored: it gives a new deal the ID of one that we know."""
    newest = int(pair.call("target", "crm.deal.add", {"fields": {"TITLE": "here before"}}))
    Link.objects.create(
        route=pair.route,
        source_id="old",
        target_id=str(newest + 2),
        state="linked",
        reported_at=timezone.now(),
    )
    for deal_id in pair.seed(3):
        pair.webhook(deal_id)
    pair.run()
    states = list(Job.objects.order_by("id").values_list("state", "failure"))
    assert sorted(states) == [("done", ""), ("done", ""), ("failed", "config")]
    failed = Job.objects.get(state="failed")
    assert f"the ID {newest + 2}, which is mapped to old already" in failed.note
    assert failed.target_id == ""
    Link.objects.filter(source_id="old").delete()
    pair.retry()
    pair.run()
    assert Job.objects.filter(state="done").count() == 3
    assert len(pair.deals()) == 4
