"""Consumer: `manage.py consume` reads the queues of its roles for as long as it runs.

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

from sync.connectors.rabbitmq.connection import Connection, connect
from sync.connectors.rabbitmq.delivery import Delivery
from sync.errors import SyncError
from sync.messaging.roles import Role, take
from sync.models import Heartbeat
from sync.policies.backoff import backoff
from sync.redaction.masking import mask

logger = logging.getLogger(__name__)

TURN_SECONDS = 1.0
"""How long it may take until a wish to stop is noticed."""

CHECK_SECONDS = 5.0
"""How often a role that cannot read yet is looked at again, and how often we give a sign of life."""

MAX_PAUSE = 30.0
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
class _Consumer:
    """One consumer: what it reads now, and what it has logged last, so that each state is logged once."""

    roles: Sequence[Role]
    stop: Stopping
    name: str = field(default_factory=lambda: f"{Heartbeat.CONSUMER}{socket.gethostname()}:{os.getpid()}")
    reads: set[str] = field(default_factory=set)
    logged: dict[str, str] = field(default_factory=dict)
    next_check_at: float = 0.0

    def ready(self) -> list[Role]:
        """Roles that are not reading yet and may; of the others it is logged why not."""
        found = []
        for role in self.roles:
            if role.name in self.reads:
                continue
            if obstacle := role.obstacle():
                self.log_once(role.name, obstacle)
            else:
                found.append(role)
        return found

    def read(self, link: Connection) -> None:
        """Until we are asked to stop; raises what ends a connection."""
        while not self.stop.asked:
            if self.is_check_due():
                self.begin(link)
            link.turn(TURN_SECONDS)

    def begin(self, link: Connection) -> None:
        """Read for every role that may."""
        for role in self.ready():
            queue = role.queue()
            if link.read(queue, partial(_stored, role)):
                self.reads.add(role.name)
                self.logged.pop(TROUBLE, None)
                self.log_once(role.name, _("Queue %(queue)s is read.") % {"queue": queue}, level=logging.INFO)
            else:
                self.log_once(
                    role.name,
                    _("Another consumer reads queue %(queue)s; this one stands by.") % {"queue": queue},
                    level=logging.INFO,
                )

    def is_check_due(self) -> bool:
        """Every few seconds, which is also when we give a sign of life."""
        if time.monotonic() < self.next_check_at:
            return False
        self.next_check_at = time.monotonic() + CHECK_SECONDS
        Heartbeat.beat(self.name)
        return True

    def log_once(self, about: str, text: str, *, level: int = logging.WARNING) -> None:
        """Log it, unless it is what was logged last about this."""
        if self.logged.get(about) != text:
            self.logged[about] = text
            logger.log(level, "%s: %s", about, text)


def consume(roles: Sequence[Role], stop: Stopping) -> None:
    """Read the queues of these roles until somebody asks us to stop; the batch under way is finished."""
    consumer = _Consumer(roles, stop)
    failures = 0
    while not stop.asked:
        started = time.monotonic()
        trouble = _session(consumer)
        if stop.asked:
            break
        failures = 0 if time.monotonic() - started > SETTLED else failures + 1
        consumer.logged = {
            TROUBLE: consumer.logged.get(TROUBLE, "")
        }  # whatever is read again is logged again
        consumer.log_once(TROUBLE, trouble)
        stop.wait(backoff(failures, longest=MAX_PAUSE))
    _leave(consumer)


def _session(consumer: _Consumer) -> str:
    """One connection from its beginning to its end; why it ended."""
    consumer.reads.clear()
    consumer.next_check_at = 0.0
    try:
        close_old_connections()
        Heartbeat.beat(consumer.name)
        with connect(settings.RABBITMQ_URL, name="consumer") as link:
            consumer.read(link)
    except SyncError as error:
        return error.message
    except (OperationalError, InterfaceError) as error:
        message = mask(str(error))
        return _("The database does not answer: %(why)s; the messages wait at RabbitMQ.") % {"why": message}
    return ""


def _stored(role: Role, deliveries: list[Delivery]) -> list[str]:
    reasons = take(role, deliveries)
    for reason in filter(None, reasons):
        logger.error("A message of queue %s becomes a dead letter: %s", role.queue(), reason)
    return reasons


def _leave(consumer: _Consumer) -> None:
    """Take back the sign of life: nobody shall look for us."""
    try:
        Heartbeat.objects.filter(name=consumer.name).delete()
    except (OperationalError, InterfaceError):  # it is forgotten in a day
        logger.warning("The database does not answer: the consumer's sign of life stays behind.")
    logger.info("consume: %s", _("It has stopped."))
