"""The requests that one worker has in flight: as many as the portal has slots, and no more."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from sync import engine, inbox
from sync.engine import inflight, scheduler
from sync.models import Attempt, Job, Pace, Portal, Slot
from sync.policies.clock import SYSTEM_CLOCK
from tests.clock import ManualClock

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = 0.3


@pytest.fixture
def creates(pair):
    """Two hundred deals that were fetched and now wait for their create: four requests of fifty."""
    for deal_id in pair.seed(200):
        pair.webhook(deal_id)
    engine.drain(pair.from_portal.pk)
    assert Job.objects.filter(step="create", state="waiting").count() == 200
    pair.target.post("limits", {"latency": SLOW})
    pair.target.post("stats/reset", {})
    Portal.objects.update(request_seconds=60)
    return pair


def most_at_once(pair):
    """The most requests that the target portal had in flight at once."""
    return pair.target.get("stats")["in_flight_max"]


@pytest.mark.parametrize(("slots", "expected"), [(1, 1), (3, 3), (10, 4)])
def test_one_worker_fills_the_slots_of_a_portal(creates, slots, expected):
    Portal.objects.update(slots=slots)
    creates.target.post("limits", {"latency": 2 * SLOW * expected})  # all are sent before one is answered
    assert engine.drain(creates.to_portal.pk) >= 4
    assert most_at_once(creates) == expected
    assert len(creates.deals()) == 200
    assert not Job.objects.filter(step="create").exists()


def test_a_worker_with_all_its_requests_in_flight_wakes_another_one(creates, settings):
    settings.REQUESTS_AT_ONCE = 1
    OrmQ.objects.all().delete()
    Pace.objects.update(wake_at=None)
    engine.drain(creates.to_portal.pk)
    assert most_at_once(creates) == 1
    assert creates.to_portal.pk in [wakeup.task["args"][0] for wakeup in OrmQ.objects.all()]


def test_slots_that_others_hold_are_left_to_them(creates):
    slot = inflight.InFlight(creates.to_portal, "another", max_requests=1, clock=SYSTEM_CLOCK)
    assert slot.take_slot()
    engine.drain(creates.to_portal.pk)
    assert most_at_once(creates) == 1  # of two
    slot.end()


def test_a_permit_that_is_near_is_waited_for(creates):
    creates.target.post("limits", {"latency": 0})
    Portal.objects.update(requests_per_minute=300, burst=1)  # one each 0.2 s
    clock = ManualClock()
    assert engine.drain(creates.to_portal.pk, clock=clock) >= 4
    assert len(creates.deals()) == 200
    assert 0.4 < sum(clock.slept) < 0.8  # three permits, the first of them a quarter of a second early


def test_a_permit_that_is_far_is_left_to_a_wakeup(creates):
    Portal.objects.update(requests_per_minute=60, burst=1)
    clock = ManualClock()
    engine.drain(creates.to_portal.pk, clock=clock)
    assert len(creates.deals()) == 50
    assert sum(clock.slept) == 0
    assert Pace.of(creates.to_portal).wake_at > clock.now()


def test_a_worker_leaves_after_its_time_though_there_is_more(creates):
    """Portals share the workers; whoever comes next goes on."""
    creates.target.post("limits", {"latency": 0})
    Portal.objects.update(requests_per_minute=300, burst=1)
    clock = ManualClock()
    engine.drain(creates.to_portal.pk, seconds=0.1, clock=clock)
    assert len(creates.deals()) == 100  # the third permit is 0.15 s away
    assert Pace.of(creates.to_portal).wake_at is not None


def test_requests_that_fail_together_count_as_one_failure(creates):
    Portal.objects.update(slots=10)
    creates.target.post("faults", {"cut": 1.0, "latency": 2})
    engine.drain(creates.to_portal.pk)
    assert most_at_once(creates) == 4
    assert Pace.of(creates.to_portal).failures == 1


def test_what_fails_late_makes_no_probe_wait_longer(pair):
    pace = Pace.of(pair.to_portal)
    for began in range(1, 6):
        pace.failed_one("away", began=began, now=began + 0.5)
    assert pace.is_away
    opened = pace.away_until
    for late in range(1, 6):
        pace.failed_one("away", began=late, now=6.0)
    assert (pace.failures, pace.away_until) == (5, opened)
    permit = pace.permit(pair.to_portal.limits, now=opened)
    assert permit.is_probe
    pace.failed_one("away", began=opened, now=opened + 1)
    assert pace.failures == 6


def test_a_long_backlog_is_not_read_for_each_request(pair, monkeypatch):
    monkeypatch.setattr(scheduler, "LOOK_EVERY", 60)
    for deal_id in pair.seed(200):
        pair.webhook(deal_id)
    pair.run()
    Job.objects.update(state="waiting", step="stage", portal=pair.from_portal, due_at=timezone.now())
    pair.source.post("stats/reset", {})
    with CaptureQueriesContext(connection) as queries:
        engine.drain(pair.from_portal.pk)
    assert pair.source.get("stats")["requests"] == 4
    looks = [one for one in queries.captured_queries if "MIN(" in one["sql"] and "GROUP BY" in one["sql"]]
    assert len(looks) <= 2  # and one that finds nothing left, when leaving


def test_the_first_request_goes_before_all_is_sorted(pair, monkeypatch):
    monkeypatch.setattr(scheduler, "SORTED_AHEAD", inbox.EVENTS_AT_ONCE)
    for deal_id in pair.seed(inbox.EVENTS_AT_ONCE + 20):
        pair.webhook(deal_id)
    pair.run()
    sizes = set(Attempt.objects.filter(step="fetch").values_list("parcel_size", flat=True))
    assert sizes == {inbox.EVENTS_AT_ONCE, 20}


def test_a_slot_is_held_for_as_long_as_a_request_may_take_and_not_stored_each_time(pair):
    portal = pair.to_portal
    slot = Slot.take(portal, "worker", now=time.time())
    with CaptureQueriesContext(connection) as asked:
        for _ in range(10):
            until = time.time() + portal.lease_seconds
            assert slot.keep(until=until)
            assert Slot.objects.get(pk=slot.pk).lease_until >= until
    assert not [query for query in asked if query["sql"].startswith("UPDATE")]
    later = time.time() + portal.lease_seconds + 60
    assert slot.keep(until=later)
    assert Slot.objects.get(pk=slot.pk).lease_until >= later


def test_claimed_jobs_are_as_they_are_stored(pair):
    for deal_id in pair.seed(3):
        pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    now = timezone.now()
    jobs = Job.objects.claim(
        {pair.route.pk: 50}, portal_id=pair.from_portal.pk, step="fetch", now=now, until=now, holder="worker"
    )
    claimed = [(job.pk, job.state, job.holder, job.attempts) for job in jobs]
    assert claimed == list(Job.objects.order_by("id").values_list("pk", "state", "holder", "attempts"))
    assert {job.holder for job in jobs} == {"worker"}


def test_a_request_has_its_slot_for_as_long_as_it_may_take(pair):
    """The slot was taken for shorter requests, or long ago."""
    portal = pair.to_portal
    in_flight = inflight.InFlight(portal, "worker", max_requests=1, clock=SYSTEM_CLOCK)
    assert in_flight.take_slot()
    portal.request_seconds = 600
    in_flight.send(lambda: "answer")
    assert Slot.objects.get(holder="worker").lease_until >= time.time() + portal.lease_seconds - 1
    assert in_flight.wait(5) == ["answer"]
    in_flight.end()
    assert not Slot.objects.filter(holder="worker").exists()
