"""The web process's bell: a thread rings for webhooks, so that no sender waits and a burst rings once.

A webhook presses it after its event is committed; within `GAP` seconds a worker is rung, after that commit.
What was pressed before the process ends is rung on the way out. A killed process loses its last press, as
it could before: the sweep finds stored events.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time

from django.db import DatabaseError, InterfaceError, close_old_connections

from sync.queue import wakeup

logger = logging.getLogger(__name__)

FLUSH_INTERVAL = 0.05
"""Seconds between two rings of this process."""

OUTAGE_PAUSE = 1.0

MESSAGES = 0
"""Pressed in the place of a portal's ID: messages are to be sent."""


class WakeupThread:
    """The portals (or messages) that somebody pressed for, and the thread that rings for them."""

    def __init__(self) -> None:
        self._requested: set[int] = set()
        self._changed = threading.Condition()
        self._flushing = threading.Lock()
        self._thread = threading.Thread()  # started by the first press: a process that forks has none yet

    def request(self, portal_id: int) -> None:
        """Have a worker look at the portal in a moment."""
        with self._changed:
            self._requested.add(portal_id)
            if not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
            self._changed.notify()

    def request_for_messages(self) -> None:
        """Have a worker send the stored messages in a moment."""
        self.request(MESSAGES)

    def flush(self) -> bool:
        """Ring for all that pressed; False when the database was away, and they are still to be rung for."""
        with self._flushing:  # the end of the process waits for a ring under way
            with self._changed:
                requested, self._requested = self._requested, set()
            try:
                for portal_id in requested:
                    wakeup.wake(portal_id) if portal_id != MESSAGES else wakeup.wake_for_messages()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("No worker could be woken, the database is away: %s", error)
                with self._changed:
                    self._requested |= requested
                return False
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._requested)
            close_old_connections()
            time.sleep(FLUSH_INTERVAL if self.flush() else OUTAGE_PAUSE)


WAKEUPS = WakeupThread()
atexit.register(WAKEUPS.flush)
