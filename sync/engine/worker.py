"""The only way work runs: permit → claim → carry → settle, several requests side by side.

A drain works for one portal for a few seconds, with as many requests under way as the portal has slots. It
does not wait for a permit that is far: it leaves, and a bell brings a worker back at that moment. A crash at
any line loses nothing: the jobs' lease runs out and `return_expired` puts them back, lost creates to their
look-up.
"""

from __future__ import annotations

import math
import time
import uuid
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, override

from sync.connectors.types import COMMANDS_A_REQUEST, Client
from sync.engine.batch import Errand, Load
from sync.engine.exchange import prepare, receive
from sync.engine.inflight import InFlight
from sync.engine.notifications import notify_of_outage
from sync.engine.scheduler import Scheduler, Selection, share_out
from sync.flows import FLOWS
from sync.flows.contract import Parcel
from sync.gateway.calls import Response, send
from sync.gateway.clients import client_of
from sync.models import Event, Job, MethodBudget, Pace, Portal
from sync.policies.rate_limit import Permit
from sync.queue import wakeup

DRAIN_SECONDS = 15.0
"""A drain sends no more after this time, so that portals share the workers fairly."""

NEAR = 0.3
"""Seconds: a permit this near is waited for; to leave and be rung for takes as long."""

LOOK_AGAIN = 0.2
"""Seconds between two looks for more to send while answers are waited for."""

FAR = math.inf

Answered = tuple[Errand, Response]


def drain(portal_id: int, *, seconds: float = DRAIN_SECONDS) -> int:
    """Carry what is due on the portal while its pace allows; 0 when there was nothing to do."""
    portal = Portal.objects.filter(pk=portal_id).first()
    if portal is None:
        return 0
    in_flight: InFlight[Answered] = InFlight(portal, uuid.uuid4().hex, max_requests=settings.REQUESTS_AT_ONCE)
    if not in_flight.take_slot():
        return 0  # whoever holds the slots looks once more before leaving
    try:
        Pace.of(portal).clear_wakeup()
        return _work(portal, in_flight, ends=time.time() + seconds)
    finally:
        in_flight.end()
        pace = Pace.of(portal)
        pace.clear_wakeup()
        if pace.is_away:
            notify_of_outage(portal, pace.trouble)
        _ring_for_what_is_left(portal)


def _work(portal: Portal, in_flight: InFlight[Answered], *, ends: float) -> int:
    """Send until `ends` and settle each answer as it comes, until nothing is under way or near."""
    scheduler, count, pause = Scheduler(portal), 0, 0.0
    while len(in_flight) or pause <= NEAR:
        for errand, heard in in_flight.wait(min(pause, LOOK_AGAIN)):
            receive(errand, heard)
        pause = _send_one(portal, in_flight, scheduler) if time.time() < ends else FAR
        count += pause == 0
    return count


def _send_one(portal: Portal, in_flight: InFlight[Answered], scheduler: Scheduler) -> float:
    """Go one step on towards a request; 0 when there may be more to do, else seconds until it makes sense."""
    if not in_flight.take_slot():
        return FAR
    if scheduler.sort_some():
        return 0
    selection = scheduler.select()
    if selection is None:
        return FAR
    pace = Pace.of(portal)
    permit = pace.permit(portal.limits, now=time.time())
    if not permit.is_granted:
        return permit.wait or NEAR  # another worker took it just before us
    if not _go(portal, in_flight, scheduler, selection, permit, pace):
        pace.refund(portal.limits)
    return 0


def _go(
    portal: Portal,
    in_flight: InFlight[Answered],
    scheduler: Scheduler,
    selection: Selection,
    permit: Permit,
    pace: Pace,
) -> bool:
    """Claim, ask the flow and send; False when nothing was to be sent."""
    step = FLOWS[selection.flow].steps[selection.step]
    load = _claim(portal, selection, permit, max_jobs=step.max_jobs)
    if load is None:
        scheduler.drop(selection)
        return False
    errand = prepare(portal, pace, load, step)
    if errand is None:
        scheduler.forget()
        return False
    in_flight.send(
        partial(_exchange, client_of(portal), errand, get_language()), blocks_others=step.blocks_others
    )
    if in_flight.is_full:
        _call_another_worker(portal, pace)
    return True


def _exchange(client: Client, errand: Errand, language: str | None) -> Answered:
    """In a thread of its own, which speaks no language yet."""
    with override(language):
        return errand, send(client, errand.request.commands)


def _claim(portal: Portal, selection: Selection, permit: Permit, *, max_jobs: int) -> Load | None:
    now, holder = timezone.now(), uuid.uuid4().hex
    jobs = Job.objects.claim(
        share_out(selection.routes, permit.size(max_jobs)),
        portal_id=portal.pk,
        step=selection.step,
        now=now,
        until=now + timedelta(seconds=portal.lease_seconds),
        holder=holder,
    )
    entity = FLOWS[selection.flow].entity
    parcel = Parcel(jobs=jobs, now=now, entity=entity, room=permit.size(COMMANDS_A_REQUEST))
    return Load(parcel=parcel, holder=holder, is_probe=permit.is_probe) if jobs else None


def _call_another_worker(portal: Portal, pace: Pace) -> None:
    """This worker has its hands full: let another one use the next permit, if there is work for it."""
    if portal.slots > settings.REQUESTS_AT_ONCE and Job.objects.due(portal.pk, now=timezone.now()).exists():
        pace.refresh_from_db()
        wakeup.wake(portal.pk, wait=pace.wait(portal.limits, now=time.time()))


def _ring_for_what_is_left(portal: Portal) -> None:
    """Book the next look at the portal: stored events now, jobs when they are due and a permit is free."""
    if portal.is_paused:
        return
    if Event.objects.filter(portal=portal, outcome=Event.Outcome.WAITING).exists():
        wakeup.wake(portal.pk)
    due_at = Job.objects.next_due_at(portal.pk)
    if due_at is None:
        return
    now = time.time()
    waits = [Pace.of(portal).wait(portal.limits, now=now), due_at.timestamp() - now]
    if due_at.timestamp() <= now and Scheduler(portal).select() is None:  # only blocked methods are left
        waits.append(min(MethodBudget.blocked(portal, now=now).values(), default=now) - now)
    wakeup.wake(portal.pk, wait=max(0.0, *waits))
