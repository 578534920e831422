"""The only way work enters: an event is stored in one INSERT, then sorted into jobs, many at a time.

Storing is all the sender waits for. Sorting belongs to the worker: it joins events of one record that
still waits, keeps each lane in order, and costs a few statements for hundreds of events.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sync import bell
from sync.connectors.types import Notice
from sync.flows import FLOWS
from sync.flows.steps import Flow, Ignored, Ticket
from sync.models import Event, Job, Portal, Route, Slot
from sync.models.atomic import atomically, in_turn
from sync.models.rows import insert_each
from sync.models.together import store

EVENTS_AT_ONCE = 50
"""Sorted in one transaction: while it lasts, SQLite takes in no webhook."""


def receive(
    portal: Portal,
    notice: Notice,
    *,
    details: dict[str, Any],
    remote_addr: str = "",
    ring: Callable[[int], object] = bell.ring,
) -> bool:
    """Store what arrived and wake a worker; False when the same webhook is already here.

    On return the event is committed. Raises the database's own errors when it is away, and IntegrityError
    when the portal is gone.
    """
    event = _event(portal, notice, fingerprint_of(notice), details=details, remote_addr=remote_addr)
    try:
        store(event)
    except IntegrityError:
        if not Event.repeat(portal, event.fingerprint):
            raise
        is_new = False
    else:
        is_new = True
    ring(portal.pk)
    return is_new


def receive_many(portal: Portal, arrivals: Mapping[str, Notice]) -> None:
    """Store messages of a queue, by fingerprint, in one INSERT; those that are here already are left out.

    On return the events are committed, unless a transaction of the caller's is open; then the queue may
    forget them after that one.
    """
    events = [_event(portal, notice, fingerprint, details={}) for fingerprint, notice in arrivals.items()]
    with in_turn():
        Event.objects.bulk_create(events, ignore_conflicts=True)
    # not before the commit: the bell under way then may be heard too early for these
    transaction.on_commit(partial(bell.ring, portal.pk), robust=True)


def _event(
    portal: Portal, notice: Notice, fingerprint: str, *, details: dict[str, Any], remote_addr: str = ""
) -> Event:
    return Event(
        portal=portal,
        fingerprint=fingerprint,
        entity=notice.entity,
        action=notice.action,
        record_id=notice.record_id,
        own_id=notice.own_id,
        origin_id=notice.origin_id,
        params=dict(notice.params),
        details=details,
        remote_addr=remote_addr,
    )


def fingerprint_of(notice: Notice) -> str:
    """Equal for the same webhook sent again: the sender's time, or ours within the duplicate window."""
    moment = notice.sent_at or f"window {int(time.time() // settings.DUPLICATE_WINDOW_SECONDS)}"
    parts = [notice.entity, notice.action, notice.record_id, notice.own_id, notice.origin_id, moment]
    whole = json.dumps([parts, dict(notice.params)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def sort(portal: Portal) -> int:
    """Turn the portal's stored events into jobs; how many events were sorted.

    One transaction under a lock of the portal's own, so that two workers never sort the same portal at once
    and each lane keeps the order in which its events arrived.
    """
    if not Event.objects.filter(portal=portal, outcome=Event.Outcome.WAITING).exists():
        return 0
    return atomically(lambda: _sort_locked(portal))


def _sort_locked(portal: Portal) -> int:
    Slot.lock_sorting(portal.pk)
    waiting = Event.objects.filter(portal=portal, outcome=Event.Outcome.WAITING).order_by("id")
    events = list(waiting[:EVENTS_AT_ONCE])
    for event in events:
        event.outcome, event.note = Event.Outcome.IGNORED, _("No route begins or ends at this portal.")
    routes = Route.objects.filter(Q(source=portal) | Q(target=portal))
    for route in routes:
        if route.source_id == portal.pk:
            _sort_on(route, "source", events)
    for route in routes:
        if route.target_id == portal.pk:
            _sort_on(route, "target", events)
    _save_outcomes(events)
    return len(events)


def _save_outcomes(events: list[Event]) -> None:
    """One statement for all events with the same end."""
    ends: dict[tuple[str, str], list[int]] = {}
    for event in events:
        ends.setdefault((event.outcome, event.note), []).append(event.pk)
    for (outcome, note), ids in ends.items():
        Event.objects.filter(pk__in=ids).update(outcome=outcome, note=note)


def queue(
    route: Route,
    source_ids: Iterable[str],
    *,
    priority: int = Job.BACKFILL,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Make jobs for records of the source portal without a webhook; how many were made or joined.

    `params`: what each of the new jobs is told.
    """
    flow = FLOWS[route.flow]
    wanted = (flow.backfill(source_id) for source_id in dict.fromkeys(source_ids))
    tickets = [replace(ticket, params={**ticket.params, **(params or {})}) for ticket in wanted]

    def work() -> int:
        Slot.lock_sorting(route.source_id)
        _queue(route, flow, [(ticket, None) for ticket in tickets], priority=priority)
        return len(tickets)

    return atomically(work)


def _sort_on(route: Route, side: Any, events: list[Event]) -> None:
    flow = FLOWS[route.flow]
    wanted: list[tuple[Ticket, Event | None]] = []
    for event, verdict in zip(events, flow.sort(route, side, events), strict=True):
        if isinstance(verdict, Ignored):
            if event.outcome == Event.Outcome.IGNORED and verdict.reason:
                event.note = verdict.reason
        else:
            event.outcome, event.note = Event.Outcome.QUEUED, ""
            wanted.append((verdict, event))
    _queue(route, flow, wanted, priority=Job.LIVE)


def _queue(route: Route, flow: Flow, wanted: list[tuple[Ticket, Event | None]], *, priority: int) -> None:
    """Make a job a ticket, or let the ticket join the newest job of its lane that has not written yet."""
    lanes = [Job.lane_of(route.pk, ticket.kind, ticket.source_id) for ticket, _ in wanted]
    newest, heads = _open_jobs(lanes)
    fresh: list[Job] = []
    for lane, (ticket, event) in zip(lanes, wanted, strict=True):
        job = newest.get(lane)
        if job is not None and _fold(job, route, ticket, event, priority=priority):
            continue
        job = _job(route, flow, ticket, event, lane=lane, is_head=lane not in heads)
        job.priority = priority
        heads.add(lane)
        newest[lane] = job
        fresh.append(job)
    insert_each(Job, [vars(job) for job in fresh])
    for portal_id in Counter(job.portal_id for job in fresh):
        bell.ring(portal_id)


def _open_jobs(lanes: list[str]) -> tuple[dict[str, Job], set[str]]:
    """The newest open job of each lane, and the lanes that have a head.

    The rows are locked: a head that ends meanwhile waits, and then sees the followers we add.
    """
    rows = Job.objects.filter(lane__in=set(lanes), state__in=Job.OPEN).order_by("id").select_for_update()
    found = list(rows)
    return {job.lane: job for job in found}, {job.head_of for job in found if job.head_of}


def _fold(job: Job, route: Route, ticket: Ticket, event: Event | None, *, priority: int) -> bool:
    """Whether the event joined `job`: parameters merge, later wins, and the record is read anew."""
    flow = FLOWS[route.flow]
    if job.state != Job.State.WAITING or not flow.steps[job.step].folds:
        return False
    job.params = flow.merge(job.params, event.params if event else {})
    job.folded += 1
    job.priority = min(job.priority, priority)
    job.step = ticket.step
    job.portal_id = route.portal_id_of(flow.steps[ticket.step].calls)
    if job.head_of:
        job.due_at = timezone.now()
    if event:
        event.outcome, event.note = Event.Outcome.FOLDED, ""
    if job.pk is not None:
        job.attempts = 0
        fields = ["params", "folded", "priority", "step", "portal", "due_at", "attempts"]
        job.save(update_fields=fields)  # the row is locked and waiting: nobody else changes it
    return True


def _job(route: Route, flow: Flow, ticket: Ticket, event: Event | None, *, lane: str, is_head: bool) -> Job:
    return Job(
        route_id=route.pk,
        kind=ticket.kind,
        source_id=ticket.source_id,
        lane=lane,
        head_of=lane if is_head else None,
        portal_id=route.portal_id_of(flow.steps[ticket.step].calls),
        step=ticket.step,
        due_at=timezone.now() if is_head else None,
        params={**ticket.params, **(event.params if event else {})},
        event_id=event.pk if event else None,
        created_at=event.received_at if event else timezone.now(),
    )
