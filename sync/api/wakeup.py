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

GAP = 0.05
"""Seconds between two rings of this process."""

OUTAGE_PAUSE = 1.0

MESSAGES = 0
"""Pressed in the place of a portal's ID: messages are to be sent."""


class Doorbell:
    """The portals (or messages) that somebody pressed for, and the thread that rings for them."""

    def __init__(self) -> None:
        self._pressed: set[int] = set()
        self._changed = threading.Condition()
        self._ringing = threading.Lock()
        self._thread = threading.Thread()  # started by the first press: a process that forks has none yet

    def press(self, portal_id: int) -> None:
        """Have a worker look at the portal in a moment."""
        with self._changed:
            self._pressed.add(portal_id)
            if not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
            self._changed.notify()

    def press_for_messages(self) -> None:
        """Have a worker send the stored messages in a moment."""
        self.press(MESSAGES)

    def ring(self) -> bool:
        """Ring for all that pressed; False when the database was away, and they are still to be rung for."""
        with self._ringing:  # the end of the process waits for a ring under way
            with self._changed:
                pressed, self._pressed = self._pressed, set()
            try:
                for portal_id in pressed:
                    wakeup.ring(portal_id) if portal_id != MESSAGES else wakeup.ring_for_messages()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("No worker could be rung, the database is away: %s", error)
                with self._changed:
                    self._pressed |= pressed
                return False
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pressed)
            close_old_connections()
            time.sleep(GAP if self.ring() else OUTAGE_PAUSE)


DOORBELL = Doorbell()
atexit.register(DOORBELL.ring)
