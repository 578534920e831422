"""Listening: `manage.py consume` reads the queues of its roles for as long as it runs.

Nothing is acknowledged before it is committed, and nothing is held back: while the database is away the
connection is closed, so that the messages wait at RabbitMQ, which ends channels that keep one for long.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils.translation import gettext as _

from sync.connectors.rabbitmq.connection import Link, connect
from sync.connectors.rabbitmq.delivery import Delivery
from sync.errors import SyncError
from sync.messaging.roles import Role, take
from sync.models import Heartbeat
from sync.redaction.masking import mask

logger = logging.getLogger(__name__)

TURN_SECONDS = 1.0
"""How long a wish to stop may go unheard."""

LOOK_SECONDS = 5.0
"""How often a role that cannot read yet is looked at again, and how often we give a sign of life."""

LONGEST_PAUSE = 30.0
TROUBLE = "consume"
SETTLED = 60.0
"""Seconds after which a connection that ends is not one that cannot be made."""


class Stopping(Protocol):
    """Whether somebody has asked us to stop, and a sleep that ends then."""

    asked: int

    def wait(self, seconds: float) -> None:
        """Sleep."""
        ...


@dataclass
class _Ear:
    """One consumer: what it reads now, and what it has said last, so that each state is told once."""

    roles: Sequence[Role]
    stop: Stopping
    name: str = field(default_factory=lambda: f"{Heartbeat.CONSUMER}{socket.gethostname()}:{os.getpid()}")
    reads: set[str] = field(default_factory=set)
    said: dict[str, str] = field(default_factory=dict)
    look_at: float = 0.0

    def ready(self) -> list[Role]:
        """Roles that are not reading yet and may; the others are told why not."""
        found = []
        for role in self.roles:
            if role.name in self.reads:
                continue
            if obstacle := role.obstacle():
                self.say(role.name, obstacle)
            else:
                found.append(role)
        return found

    def read(self, link: Link) -> None:
        """Until we are asked to stop; raises what ends a connection."""
        while not self.stop.asked:
            if self.is_time_to_look():
                self.begin(link)
            link.turn(TURN_SECONDS)

    def begin(self, link: Link) -> None:
        """Read for every role that may."""
        for role in self.ready():
            queue = role.queue()
            if link.read(queue, partial(_stored, role)):
                self.reads.add(role.name)
                self.said.pop(TROUBLE, None)
                self.say(role.name, _("Queue %(queue)s is read.") % {"queue": queue}, level=logging.INFO)
            else:
                self.say(
                    role.name,
                    _("Another consumer reads queue %(queue)s; this one stands by.") % {"queue": queue},
                    level=logging.INFO,
                )

    def is_time_to_look(self) -> bool:
        """Every few seconds, which is also when we give a sign of life."""
        if time.monotonic() < self.look_at:
            return False
        self.look_at = time.monotonic() + LOOK_SECONDS
        Heartbeat.beat(self.name)
        return True

    def say(self, about: str, text: str, *, level: int = logging.WARNING) -> None:
        """Log it, unless it is what was said last of this."""
        if self.said.get(about) != text:
            self.said[about] = text
            logger.log(level, "%s: %s", about, text)


def listen(roles: Sequence[Role], stop: Stopping) -> None:
    """Read the queues of these roles until somebody asks us to stop; the batch under way is finished."""
    ear = _Ear(roles, stop)
    failures = 0
    while not stop.asked:
        started = time.monotonic()
        trouble = _session(ear)
        if stop.asked:
            break
        failures = 0 if time.monotonic() - started > SETTLED else failures + 1
        ear.said = {TROUBLE: ear.said.get(TROUBLE, "")}  # whatever is read again is told again
        ear.say(TROUBLE, trouble)
        stop.wait(min(LONGEST_PAUSE, 2.0 ** min(failures - 1, 10)))
    _leave(ear)


def _session(ear: _Ear) -> str:
    """One connection from its beginning to its end; why it ended."""
    ear.reads.clear()
    ear.look_at = 0.0
    try:
        close_old_connections()
        Heartbeat.beat(ear.name)
        with connect(settings.RABBITMQ_URL, name="consumer") as link:
            ear.read(link)
    except SyncError as error:
        return error.message
    except (OperationalError, InterfaceError) as error:
        told = mask(str(error))
        return _("The database does not answer: %(why)s; the messages wait at RabbitMQ.") % {"why": told}
    return ""


def _stored(role: Role, deliveries: list[Delivery]) -> list[str]:
    reasons = take(role, deliveries)
    for reason in filter(None, reasons):
        logger.error("A message of queue %s becomes a dead letter: %s", role.queue(), reason)
    return reasons


def _leave(ear: _Ear) -> None:
    """Take back the sign of life: nobody shall look for us."""
    try:
        Heartbeat.objects.filter(name=ear.name).delete()
    except (OperationalError, InterfaceError):  # it is forgotten in a day
        logger.warning("The database does not answer: the consumer's sign of life stays behind.")
    logger.info("consume: %s", _("It has stopped."))
