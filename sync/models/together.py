"""Storing events of several threads by one INSERT: who waits for a commit goes along with the next one.

A commit waits for the disk, and on SQLite for every other writer: an event alone would pay that each time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError

from sync.models.atomic import has_stepped_back, in_turn
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
    """INSERT the event, with those of other threads that wait; on return it is committed.

    Raises what the database says of this one, or of all when it is away.
    """
    guest = _Guest(event)
    _waiting.append(guest)
    with _driving:
        if not guest.is_over:  # else whoever drove before us has taken it along
            _drive([_waiting.popleft() for _ in range(len(_waiting))])
    if guest.error:
        raise guest.error


def _drive(guests: Sequence[_Guest]) -> None:
    try:
        _insert([guest.event for guest in guests])
    except Exception as error:  # noqa: BLE001  # each thread raises its own
        if len(guests) > 1 and _is_about_one(error):
            for guest in guests:
                _drive([guest])
            return
        for guest in guests:
            guest.error = error
    for guest in guests:
        guest.is_over = True


def _is_about_one(error: Exception) -> bool:
    """A row that cannot be, or two INSERTs that wait for each other's: no fault of the others."""
    return isinstance(error, IntegrityError) or has_stepped_back(error)


def _insert(events: Sequence[Event]) -> None:
    with in_turn():
        if len(events) == 1:
            events[0].save(force_insert=True)  # one statement; a bulk one is wrapped in a transaction
        else:
            Event.objects.bulk_create(events)
