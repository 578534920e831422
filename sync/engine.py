"""The only way work runs: permit → claim → carry → settle, one HTTP request at a time.

A drain holds one slot of one portal for a few seconds. It never sleeps: when the portal's next permit is
not due, it leaves and a bell brings a worker back at that moment. A crash at any line loses nothing: the
jobs' lease runs out and `return_expired` puts them back, lost creates to their look-up.
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sync import bell, inbox
from sync.carrying import Load, carry
from sync.errors import OutcomeUnknown
from sync.flows import FLOWS
from sync.flows.steps import COMMANDS_A_REQUEST, Parcel
from sync.models import Due, Event, Job, MethodBudget, Pace, Portal, Slot
from sync.pace import Permit
from sync.settling import settle
from sync.telling import tell_of_trouble

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 15.0
"""A drain ends after this time, so that portals share the workers fairly."""


def drain(portal_id: int, *, seconds: float = DRAIN_SECONDS) -> int:
    """Carry what is due on the portal while its pace allows; how many requests were sent."""
    portal = Portal.objects.filter(pk=portal_id).first()
    if portal is None:
        return 0
    holder = uuid.uuid4().hex
    slot = Slot.take(portal, holder, now=time.time())
    if slot is None:
        return 0  # whoever holds the slots looks once more before leaving
    sent = 0
    try:
        Pace.of(portal).hear_bell()
        ends = time.time() + seconds
        while time.time() < ends and _round(portal, slot):
            sent += 1
    finally:
        slot.release()
        Pace.of(portal).hear_bell()
        _ring_for_what_is_left(portal)
    return sent


def return_expired() -> int:
    """Put back the jobs of workers that never came back; how many.

    A call that must not be repeated blindly goes to its look-up. The lease outlives the portal's own
    request limit, so what was under way has ended by now.
    """
    now = timezone.now()
    expired = list(Job.objects.expired(now=now).select_related("route__source", "route__target"))
    lost = OutcomeUnknown(
        _("The worker that carried this job did not come back; the answer is lost."), after=0.0
    )
    for holder in {job.holder for job in expired}:
        jobs = [job for job in expired if job.holder == holder]
        entity = FLOWS[jobs[0].route.flow].entity  # a parcel is of one flow
        load = Load(parcel=Parcel(jobs=jobs, now=now, entity=entity), holder=holder)
        load.fail(lost)
        settle(load)
    for portal_id in {job.portal_id for job in expired}:
        bell.ring(portal_id)
    return len(expired)


def _round(portal: Portal, slot: Slot) -> bool:
    """Send one request for the portal; False when nothing is due or nothing may be sent now."""
    while inbox.sort(portal) == inbox.EVENTS_AT_ONCE:
        slot.keep(until=time.time() + portal.lease_seconds)
    portal.refresh_from_db()
    if portal.is_paused:
        return False
    choice = choose(portal, _due(portal))
    if choice is None:
        return False
    pace = Pace.of(portal)
    permit = pace.permit(portal.limits, now=time.time())
    if not permit.is_granted:
        if pace.is_away:
            tell_of_trouble(portal, pace.trouble)
        return False
    step = FLOWS[choice.flow].steps[choice.step]
    load = _claim(portal, choice, permit, most=step.most, holder=slot.holder)
    if load is None:
        pace.refund(portal.limits)
        return True
    slot.keep(until=time.time() + portal.lease_seconds)
    _call_a_second_worker(portal, pace)
    carry(portal, pace, load, step)
    return True


@dataclass(frozen=True)
class Choice:
    """What the next request carries: one step, and how many jobs of each route at most."""

    flow: str
    step: str
    routes: tuple[int, ...]


def choose(portal: Portal, board: list[Due]) -> Choice | None:
    """The most urgent step: live work before backfill, what others wait for, then what has waited longest.

    All routes of the flow that have jobs at that step go along.
    """
    if not board:
        return None
    board = sorted(board, key=_urgency)
    first = board[0]
    same = [due for due in board if (due.flow, due.step) == (first.flow, first.step)]
    return Choice(flow=first.flow, step=first.step, routes=tuple(dict.fromkeys(due.route_id for due in same)))


def _urgency(due: Due) -> tuple[int, bool, datetime]:
    return due.priority, not FLOWS[due.flow].steps[due.step].goes_first, due.since


def share_out(routes: tuple[int, ...], most: int) -> dict[int, int]:
    """How many jobs of each route one request may hold: even shares, the rest to the most urgent."""
    if most < len(routes):
        return dict.fromkeys(routes[:most], 1)
    each, rest = divmod(most, len(routes))
    return {route: each + (rest if number == 0 else 0) for number, route in enumerate(routes)}


def _due(portal: Portal) -> list[Due]:
    """What is due on the portal and may be called: methods whose time budget is spent are left out."""
    blocked = MethodBudget.blocked(portal, now=time.time())
    board = Job.objects.due_board(portal.pk, now=timezone.now())
    return [due for due in board if FLOWS[due.flow].steps[due.step].method not in blocked]


def _claim(portal: Portal, choice: Choice, permit: Permit, *, most: int, holder: str) -> Load | None:
    now = timezone.now()
    jobs = Job.objects.claim(
        share_out(choice.routes, permit.size(most)),
        portal_id=portal.pk,
        step=choice.step,
        now=now,
        until=now + timedelta(seconds=portal.lease_seconds),
        holder=holder,
    )
    entity = FLOWS[choice.flow].entity
    parcel = Parcel(jobs=jobs, now=now, entity=entity, room=permit.size(COMMANDS_A_REQUEST))
    return Load(parcel=parcel, holder=holder, is_probe=permit.is_probe) if jobs else None


def _call_a_second_worker(portal: Portal, pace: Pace) -> None:
    """Before a call that may take long: let another worker use the next permit, if there is work for it."""
    if portal.slots > 1 and Job.objects.due(portal.pk, now=timezone.now()).exists():
        pace.refresh_from_db()
        bell.ring(portal.pk, wait=pace.wait(portal.limits, now=time.time()))


def _ring_for_what_is_left(portal: Portal) -> None:
    """Book the next look at the portal: stored events now, jobs when they are due and a permit is free."""
    if portal.is_paused:
        return
    if Event.objects.filter(portal=portal, outcome=Event.Outcome.WAITING).exists():
        bell.ring(portal.pk)
    due_at = Job.objects.next_due_at(portal.pk)
    if due_at is None:
        return
    now = time.time()
    waits = [Pace.of(portal).wait(portal.limits, now=now), due_at.timestamp() - now]
    if due_at.timestamp() <= now and not _due(portal):  # only blocked methods are left
        waits.append(min(MethodBudget.blocked(portal, now=now).values(), default=now) - now)
    bell.ring(portal.pk, wait=max(0.0, *waits))
