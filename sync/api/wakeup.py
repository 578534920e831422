"""Wake-ups from the web process: a thread queues them, so that no sender waits and a burst needs only one.

A view requests a wake-up after its event is committed; the thread queues it within FLUSH_INTERVAL seconds.
Requests that are open when the process ends are flushed on exit. A killed process loses them; then the
minute sweep finds the stored events.
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
"""Seconds between two flushes of this process."""

OUTAGE_PAUSE = 1.0
"""Seconds to the next try while the database is away."""

MESSAGES = 0
"""Requested instead of a portal's ID: messages wait to be sent."""


class WakeupThread:
    """The portals (or messages) for which a wake-up was requested, and the thread that queues it."""

    def __init__(self) -> None:
        self._requested: set[int] = set()
        self._changed = threading.Condition()
        self._flushing = threading.Lock()
        self._thread = threading.Thread()  # started by the first request: threads do not survive a fork

    def request(self, portal_id: int) -> None:
        """Have a wake-up for the portal queued soon."""
        with self._changed:
            self._requested.add(portal_id)
            if not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="wakeup", daemon=True)
                self._thread.start()
            self._changed.notify()

    def request_for_messages(self) -> None:
        """Have a wake-up for the stored messages queued soon."""
        self.request(MESSAGES)

    def flush(self) -> bool:
        """Queue all requested wake-ups; False when the database is away: they are kept for the next try."""
        with self._flushing:  # on exit the process waits for a flush that is running
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
