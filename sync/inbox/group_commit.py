"""Storing events on SQLite: who waits for another thread's commit goes along with the next one.

A commit waits for the disk and for every other writer; an event alone would pay that each time. Other
databases let many write at once and gather their commits themselves.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, connection

from sync.db.transactions import in_turn
from sync.models.event import Event


@dataclass
class _PendingInsert:
    """An event that some thread wants stored, and what became of it."""

    event: Event
    is_over: bool = False
    error: Exception | None = None


_waiting: deque[_PendingInsert] = deque()
_flushing = threading.Lock()


def store(event: Event) -> None:
    """INSERT the event, on SQLite with those of other threads that wait; on return it is committed.

    Raises what the database says of this one, or of all when it is away.
    """
    if connection.vendor != "sqlite":
        event.save(force_insert=True)
        return
    pending = _PendingInsert(event)
    _waiting.append(pending)
    with _flushing:
        if not pending.is_over:  # else the thread before us has stored it
            try:
                with in_turn():  # events that come while we wait for it go along: one wait, not two
                    _flush([_waiting.popleft() for _ in range(len(_waiting))])
            except OSError:  # the file that orders the writers cannot be had
                _waiting.remove(pending)
                raise
    if pending.error:
        raise pending.error


def _flush(batch: Sequence[_PendingInsert]) -> None:
    try:
        _insert([pending.event for pending in batch])
    except Exception as error:  # noqa: BLE001  # each thread raises its own
        if isinstance(error, IntegrityError) and len(batch) > 1:  # one's fault is not the others'
            for pending in batch:
                _flush([pending])
            return
        for pending in batch:
            pending.error = error
    for pending in batch:
        pending.is_over = True


def _insert(events: Sequence[Event]) -> None:
    if len(events) == 1:
        events[0].save(force_insert=True)  # one statement; a bulk one is wrapped in a transaction
    else:
        Event.objects.bulk_create(events)
