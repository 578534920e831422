"""A permit is one request of the portal's budget: none is lost or used twice, blocked methods get none."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync import engine, inbox
from sync.engine import exchange
from sync.engine.scheduler import Selection
from sync.engine.worker import Worker
from sync.flows import FLOWS
from sync.models import Job, MethodBudget, Pace, Portal
from sync.policies.clock import SYSTEM_CLOCK
from sync.policies.rate_limit import ON_THE_WAY, Permit

BLOCKED = 60.0


def send_deals(pair, count: int = 1) -> None:
    """Add deals on the source and store their webhooks."""
    for deal_id in pair.seed(count):
        pair.webhook(deal_id)


def spent(pair, *, since: float) -> float:
    """How many requests of the source portal's budget were booked after `since`."""
    portal = Portal.objects.get(pk=pair.from_portal.pk)
    return (Pace.of(portal).tat - since) / portal.limits.interval


def test_a_claim_that_finds_nothing_costs_no_request_and_is_not_repeated(pair):
    """What was due at the last look has just been taken; the next choice finds nothing left of it."""
    Portal.objects.update(requests_per_minute=60, burst=10)
    pair.source.post("limits", {"latency": 1.0})
    Portal.objects.update(request_seconds=60)
    send_deals(pair)
    began = time.time()
    with CaptureQueriesContext(connection) as queries:
        engine.drain(pair.from_portal.pk)
    assert pair.source.get("stats")["requests"] - 1 == 1  # seeding was one
    assert spent(pair, since=began) < 1.5
    claims = [one for one in queries if '"sync_job"."step"' in one["sql"] and "LIMIT 2500" in one["sql"]]
    assert len(claims) <= 2


def test_a_request_that_leaves_late_is_counted_when_it_leaves(pair):
    """The portal counts it then; a pace that counted it at its permit alone would let one too many pass."""
    send_deals(pair)
    inbox.sort(pair.from_portal)
    portal, pace = pair.from_portal, Pace.of(pair.from_portal)
    selection = Selection(flow="deals", step="fetch", routes=(pair.route.pk,))
    for late, booked in ((0.0, 0), (ON_THE_WAY + 1, 1)):
        Job.objects.update(state="waiting", holder="", due_at=timezone.now() - timedelta(minutes=1))
        claimed = Worker(portal, SYSTEM_CLOCK)._claim(selection, Permit(is_granted=True), max_jobs=50)
        claimed.parcel.now -= timedelta(seconds=late)
        now = time.time()
        Pace.objects.update(tat=now)
        assert exchange.prepare(portal, pace, claimed, FLOWS["deals"].steps["fetch"])
        pace.refresh_from_db()
        assert round((pace.tat - now) / portal.limits.interval) >= booked
        assert (pace.tat > now) == bool(booked)


def test_a_blocked_method_waits_and_the_others_go(pair):
    send_deals(pair)
    engine.drain(pair.from_portal.pk)
    assert pair.job().step == "create"
    before = pair.target.get("stats")["requests"]
    until = time.time() + BLOCKED
    MethodBudget.block(pair.to_portal, "crm.item.add", until=until)
    assert engine.drain(pair.to_portal.pk) == 0
    assert pair.target.get("stats")["requests"] == before
    assert (pair.job().state, pair.job().attempts) == ("waiting", 0)
    assert Pace.of(pair.to_portal).wake_at >= until - 1  # a wake-up is queued for that moment
    MethodBudget.objects.all().delete()
    pair.run()
    assert pair.job().state == "done"
