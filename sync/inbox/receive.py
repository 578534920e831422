"""The only way work enters: an event is stored in one INSERT, then sorted into jobs, many at a time.

Storing is all the sender waits for. Sorting belongs to the worker: it joins events of one record that
still waits, keeps each lane in order, and costs a few statements for hundreds of events.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from sync.connectors.types import IncomingEvent
from sync.db.transactions import in_turn
from sync.inbox.group_commit import store
from sync.models import Event, Portal
from sync.queue import wakeup


def receive(
    portal: Portal,
    notice: IncomingEvent,
    *,
    details: dict[str, Any],
    remote_addr: str = "",
    wake: Callable[[int], object] = wakeup.wake,
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
    wake(portal.pk)
    return is_new


def receive_many(portal: Portal, arrivals: Mapping[str, IncomingEvent]) -> None:
    """Store messages of a queue, by fingerprint, in one INSERT; those that are here already are left out.

    On return the events are committed, unless a transaction of the caller's is open; then the queue may
    forget them after that one.
    """
    events = [_event(portal, notice, fingerprint, details={}) for fingerprint, notice in arrivals.items()]
    with in_turn():
        Event.objects.bulk_create(events, ignore_conflicts=True)
    # not before the commit: a wake-up that is queued then may be answered too early for these
    transaction.on_commit(partial(wakeup.wake, portal.pk), robust=True)


def _event(
    portal: Portal, notice: IncomingEvent, fingerprint: str, *, details: dict[str, Any], remote_addr: str = ""
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


def fingerprint_of(notice: IncomingEvent) -> str:
    """Equal for the same webhook sent again: the sender's time, or ours within the duplicate window."""
    moment = notice.sent_at or f"window {int(time.time() // settings.DUPLICATE_WINDOW_SECONDS)}"
    parts = [notice.entity, notice.action, notice.record_id, notice.own_id, notice.origin_id, moment]
    whole = json.dumps([parts, dict(notice.params)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()
