"""Signs of life of a watched cluster: it gives itself a small task, and running it tells its supervisor.

A django-q2 cluster can stand deaf with all its processes alive: an idle worker killed while it holds the
read lock of the cluster's inner queue leaves that lock taken for ever
(https://github.com/django-q2/django-q2/issues/23). A message in the shared table would not show it, since
another host may take it; so each cluster's pusher makes the question itself and only its own workers can
answer. Question and answer go through a pipe: the database may be away or locked, the conclusion stays right.
"""

import logging
import os
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.signing import SignedPackage

log = logging.getLogger(__name__)

PIPE = "INTERCONNECTOR_LIVENESS_PIPE"
"""Environment variable: file descriptor of the pipe to the supervisor; absent where nobody watches."""

TASK = "sync.tasks.beat"
OUTAGE_PAUSE = 1.0
QUESTION, ANSWER = b"?", b"."


def answer() -> None:
    """Tell the supervisor that this cluster runs tasks; nothing where nobody watches."""
    _signal(ANSWER)


def _signal(sign: bytes) -> None:
    if pipe := os.environ.get(PIPE):
        with suppress(BlockingIOError, BrokenPipeError):  # it has plenty unread, or is just being killed
            os.write(int(pipe), sign)


class ProbingBroker(ORM):
    """django-q2's database broker, which in a watched cluster pulls a task of its own now and then."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)  # type: ignore[arg-type]  # its own default is None
        self.ask_at = 0.0
        self.is_away = False

    def dequeue(self) -> list[tuple[int | None, str]] | None:
        """The next messages as (row to acknowledge, signed task); asks before it turns to the database."""
        now = time.monotonic()
        if PIPE in os.environ and now >= self.ask_at:
            self.ask_at = now + settings.WATCHDOG_SECONDS / 4
            _signal(QUESTION)
            return [(None, SignedPackage.dumps(_question()))]
        try:
            pulled: list[tuple[int | None, str]] | None = super().dequeue()
        except (DatabaseError, InterfaceError) as error:
            self._notice_outage(error)
            return None
        if self.is_away:
            self.is_away = False
            log.warning("The database answers again: messages are pulled.")
        return pulled

    def _notice_outage(self, error: Exception) -> None:
        """Wait it out here: django-q2 would end the pusher and fork another one every ten seconds."""
        if not self.is_away:
            self.is_away = True
            log.error("The database does not answer, no message can be pulled: %s", error)
        time.sleep(OUTAGE_PAUSE)


def _question() -> dict[str, Any]:
    started = timezone.now()
    return {"id": uuid4().hex, "name": "beat", "func": TASK, "args": (), "kwargs": {}, "started": started}
