"""The only way work runs: permit → claim → request → settle, several requests side by side.

A worker drains one portal for a few seconds, with as many requests in flight as the portal has slots. It
does not wait for a permit that is far: it leaves, and a wake-up brings a worker back at that moment. A crash
at any line loses nothing: the jobs' lease runs out and `leases.return_expired` puts them back, lost creates
to their look-up.
"""

from __future__ import annotations

import math
import uuid
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.utils.translation import get_language, override

from sync.connectors.types import COMMANDS_A_REQUEST, Client
from sync.engine.batch import ClaimedParcel
from sync.engine.exchange import Exchange, prepare
from sync.engine.inflight import InFlight
from sync.engine.notifications import notify_of_outage
from sync.engine.scheduler import Scheduler, Selection, share_out
from sync.flows import FLOWS
from sync.flows.contract import Parcel
from sync.gateway.calls import Response
from sync.gateway.clients import client_of
from sync.models import Event, Job, MethodBudget, Pace, Portal
from sync.policies.clock import SYSTEM_CLOCK, Clock
from sync.policies.rate_limit import Permit
from sync.queue import wakeup

DRAIN_SECONDS = 15.0
"""A worker sends no more after this time, so that portals share the workers fairly."""

MAX_PERMIT_WAIT = 0.3
"""Seconds: a permit this near is waited for; to leave and be woken takes as long."""

POLL_SECONDS = 0.2
"""Seconds between two looks for more to send while answers are waited for."""

NOT_NOW = math.inf

Answered = tuple[Exchange, Response]


def drain(portal_id: int, *, seconds: float = DRAIN_SECONDS, clock: Clock = SYSTEM_CLOCK) -> int:
    """Send what is due on the portal while its pace allows; 0 when there was nothing to do."""
    portal = Portal.objects.filter(pk=portal_id).first()
    return Worker(portal, clock).drain(seconds) if portal else 0


class Worker:
    """One drain of one portal: the portal as its row says, what is due on it, its requests in flight."""

    def __init__(self, portal: Portal, clock: Clock) -> None:
        self.portal, self.clock = portal, clock
        self.scheduler = Scheduler(portal, clock)
        self.in_flight: InFlight[Answered] = InFlight(
            portal, uuid.uuid4().hex, max_requests=settings.REQUESTS_AT_ONCE, clock=clock
        )

    def drain(self, seconds: float) -> int:
        """Send and settle for so long; how many steps towards requests were made."""
        if not self.in_flight.take_slot():
            return 0  # whoever holds the slots looks once more before leaving
        try:
            Pace.of(self.portal).clear_wakeup()
            return self._send_until(self.clock.now() + seconds)
        finally:
            self._leave()

    def _send_until(self, ends: float) -> int:
        """Send until `ends` and settle each answer as it comes, until nothing is in flight or near."""
        count, pause = 0, 0.0
        while len(self.in_flight) or pause <= MAX_PERMIT_WAIT:
            for exchange, response in self.in_flight.wait(min(pause, POLL_SECONDS)):
                exchange.settle(response)
            pause = self._send_one() if self.clock.now() < ends else NOT_NOW
            count += pause == 0
        return count

    def _send_one(self) -> float:
        """Go one step on towards a request; 0 when there may be more to do, else seconds to wait."""
        if not self.in_flight.take_slot():
            return NOT_NOW
        if self.scheduler.sort_some():
            return 0
        selection = self.scheduler.select()
        if selection is None:
            return NOT_NOW
        pace = Pace.of(self.portal)
        permit = pace.permit(self.portal.limits, now=self.clock.now())
        if not permit.is_granted:
            return permit.wait or MAX_PERMIT_WAIT  # another worker took it just before us
        if not self._use(permit, selection, pace):
            pace.refund(self.portal.limits)
        return 0

    def _use(self, permit: Permit, selection: Selection, pace: Pace) -> bool:
        """Claim, ask the flow and send; False when nothing was to be sent."""
        step = FLOWS[selection.flow].steps[selection.step]
        claimed = self._claim(selection, permit, max_jobs=step.max_jobs)
        if claimed is None:
            self.scheduler.drop(selection)
            return False
        exchange = prepare(self.portal, pace, claimed, step)
        if exchange is None:
            self.scheduler.look_again()
            return False
        work = partial(_execute, exchange, client_of(self.portal), get_language())
        self.in_flight.send(work, blocks_others=step.blocks_others)
        if self.in_flight.is_full:
            self._wake_another(pace)
        return True

    def _claim(self, selection: Selection, permit: Permit, *, max_jobs: int) -> ClaimedParcel | None:
        now, holder = self.clock.moment(), uuid.uuid4().hex
        jobs = Job.objects.claim(
            share_out(selection.routes, permit.size(max_jobs)),
            portal_id=self.portal.pk,
            step=selection.step,
            now=now,
            until=now + timedelta(seconds=self.portal.lease_seconds),
            holder=holder,
        )
        if not jobs:
            return None
        entity = FLOWS[selection.flow].entity
        parcel = Parcel(jobs=jobs, now=now, entity=entity, room=permit.size(COMMANDS_A_REQUEST))
        return ClaimedParcel(parcel, holder, is_probe=permit.is_probe, clock=self.clock)

    def _wake_another(self, pace: Pace) -> None:
        """This worker is full: let another one use the next permit, if there is work for it."""
        if self.portal.slots <= settings.REQUESTS_AT_ONCE:
            return
        if Job.objects.due(self.portal.pk, now=self.clock.moment()).exists():
            pace.refresh_from_db()
            wakeup.wake(self.portal.pk, wait=pace.wait(self.portal.limits, now=self.clock.now()))

    def _leave(self) -> None:
        """Give the slots back, and see to it that whatever is left is looked at in time."""
        self.in_flight.end()
        pace = Pace.of(self.portal)
        pace.clear_wakeup()
        if pace.is_away:
            notify_of_outage(self.portal, pace.trouble)
        self._wake_for_the_rest()

    def _wake_for_the_rest(self) -> None:
        """Book the next wake-up: stored events now, jobs when they are due and a permit is free."""
        portal = self.portal
        if portal.is_paused:
            return
        if Event.objects.filter(portal=portal, outcome=Event.Outcome.WAITING).exists():
            wakeup.wake(portal.pk)
        due_at = Job.objects.next_due_at(portal.pk)
        if due_at is None:
            return
        now = self.clock.now()
        waits = [Pace.of(portal).wait(portal.limits, now=now), due_at.timestamp() - now]
        if due_at.timestamp() <= now and Scheduler(portal, self.clock).select() is None:
            waits.append(min(MethodBudget.blocked(portal, now=now).values(), default=now) - now)
        wakeup.wake(portal.pk, wait=max(0.0, *waits))


def _execute(exchange: Exchange, client: Client, language: str | None) -> Answered:
    """In a thread of its own, which speaks no language yet."""
    with override(language):
        return exchange, exchange.execute(client)
