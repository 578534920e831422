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
class _Guest:
    """An event that some thread wants stored, and what became of it."""

    event: Event
    is_over: bool = False
    error: Exception | None = None


_waiting: deque[_Guest] = deque()
_driving = threading.Lock()


def store(event: Event) -> None:
    """INSERT the event, on SQLite with those of other threads that wait; on return it is committed.

    Raises what the database says of this one, or of all when it is away.
    """
    if connection.vendor != "sqlite":
        event.save(force_insert=True)
        return
    guest = _Guest(event)
    _waiting.append(guest)
    with _driving:
        if not guest.is_over:  # else whoever drove before us has taken it along
            try:
                with (
                    in_turn()
                ):  # whoever comes while we wait for it goes along: a wait for one writer, not two
                    _drive([_waiting.popleft() for _ in range(len(_waiting))])
            except OSError:  # the file of the turns cannot be had
                _waiting.remove(guest)
                raise
    if guest.error:
        raise guest.error


def _drive(guests: Sequence[_Guest]) -> None:
    try:
        _insert([guest.event for guest in guests])
    except Exception as error:  # noqa: BLE001  # each thread raises its own
        if isinstance(error, IntegrityError) and len(guests) > 1:  # one's fault is not the others'
            for guest in guests:
                _drive([guest])
            return
        for guest in guests:
            guest.error = error
    for guest in guests:
        guest.is_over = True


def _insert(events: Sequence[Event]) -> None:
    if len(events) == 1:
        events[0].save(force_insert=True)  # one statement; a bulk one is wrapped in a transaction
    else:
        Event.objects.bulk_create(events)
