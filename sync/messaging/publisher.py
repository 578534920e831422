"""Publisher: the messages of the outbox go out in the order of their IDs, one sender at a time on all hosts.

A message is marked when RabbitMQ has confirmed it. A crash in between sends it twice, with the same message
ID, by which our own role knows it again. Without RABBITMQ_URL the roles get their messages here, in the
transaction that marks them.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from sync.connectors.rabbitmq.connection import Connection, connect
from sync.connectors.rabbitmq.delivery import Delivery
from sync.connectors.rabbitmq.wire import encode
from sync.db.transactions import atomically
from sync.errors import NeedsStaff, SyncError
from sync.messaging import roles
from sync.models import Message, OutboxLease
from sync.policies.backoff import backoff
from sync.queue import wakeup

logger = logging.getLogger(__name__)

SEND_SECONDS = 15.0
"""A sender ends after this time, so that a burst of messages does not hold a worker for ever."""

LEASE_SECONDS = 60.0
"""More than one batch takes: BATCH_SECONDS, and the time after which a lost connection is noticed."""

BATCH_SECONDS = 10.0
AT_ONCE = 100
MAX_PAUSE = 60.0
SOON = 0.1

Transport = Callable[[str, list[Message]], None]
"""Takes messages of one queue, in order, and marks what has arrived; NeedsStaff concerns that queue alone."""


@dataclass
class _Round:
    """What one sender does while it holds the lease; `stuck`: queues that take nothing, and why."""

    lease: OutboxLease
    ends: float
    stuck: dict[str, NeedsStaff] = field(default_factory=dict)

    def send(self, transport: Transport) -> None:
        """Batch after batch, until nothing is left, the time is over, or another one has the lease."""
        while time.time() < self.ends and self.lease.keep(until=time.time() + LEASE_SECONDS):
            batch = list(self.left()[:AT_ONCE])
            if not batch:
                return
            for queue in dict.fromkeys(message.queue for message in batch):
                self._send_to(queue, [message for message in batch if message.queue == queue], transport)

    def left(self) -> models.QuerySet[Message]:
        """Unsent messages of queues that take some."""
        return Message.unsent().exclude(queue__in=self.stuck)

    def _send_to(self, queue: str, messages: list[Message], transport: Transport) -> None:
        try:
            transport(queue, messages)
        except NeedsStaff as error:
            self.stuck[queue] = error


def send(*, seconds: float = SEND_SECONDS) -> bool:
    """Send what is unsent; False when another sender is at work, or waits out a trouble.

    Raises nothing of RabbitMQ's: the trouble stands in the OutboxLease row, and a wake-up is queued for
    after a pause.
    """
    now = time.time()
    lease = OutboxLease.take(uuid.uuid4().hex, now=now, until=now + LEASE_SECONDS)
    if lease is None:
        return False  # whoever holds it looks once more before leaving
    lease.clear_wakeup()
    this = _Round(lease, ends=now + seconds)
    try:
        if this.left().exists():
            with _transport() as transport:
                this.send(transport)
    except SyncError as error:
        _wait_out(lease, error)
    else:
        _leave(this)
    return True


@contextmanager
def _transport() -> Iterator[Transport]:
    if not settings.RABBITMQ_URL:
        yield _hand_over
        return
    with connect(settings.RABBITMQ_URL, name="sender") as link:
        yield partial(_publish, link)


def _publish(link: Connection, queue: str, messages: list[Message]) -> None:
    """Over RabbitMQ. What was confirmed is marked, whatever happens to the rest."""
    confirmed: list[int] = []
    ends = time.time() + BATCH_SECONDS
    try:
        for message in messages:
            body = encode(message.pattern, message.data)
            link.publish(queue, body, message_id=str(message.uuid))
            confirmed.append(message.pk)
            if time.time() > ends:
                break
    finally:
        Message.mark_sent(confirmed)


def _hand_over(queue: str, messages: list[Message]) -> None:
    """Within this process, to the role whose queue it is; stored and marked in one transaction.

    NeedsStaff also when the role cannot take any.
    """
    role = roles.role_of(queue)
    if role is None:
        raise NeedsStaff(
            _(
                "Messages for queue %(queue)s wait: without RABBITMQ_URL they reach only our own queues. Set "
                "RABBITMQ_URL, and restart web and workers."
            )
            % {"queue": queue}
        )
    atomically(partial(_take_and_mark, role, messages))


def _take_and_mark(role: roles.Role, messages: list[Message]) -> None:
    deliveries = [
        Delivery(message.queue, encode(message.pattern, message.data), str(message.uuid))
        for message in messages
    ]
    for message, reason in zip(messages, role.take(deliveries), strict=True):
        if reason:
            logger.error("Message №%s for queue %s says nothing to us: %s", message.pk, message.queue, reason)
    Message.mark_sent([message.pk for message in messages])


def _leave(this: _Round) -> None:
    """Let the next one send; look once more, because who found the lease taken went away."""
    lease, pause = this.lease, 0.0
    if this.stuck:
        pause = _note(lease, " ".join(dict.fromkeys(error.message for error in this.stuck.values())))
    else:
        lease.sent_one()
    lease.release()
    lease.clear_wakeup()
    if this.left().exists():
        wakeup.wake_for_messages()
    elif this.stuck:
        wakeup.wake_for_messages(wait=pause)


def _wait_out(lease: OutboxLease, error: SyncError) -> None:
    """The lease is kept over the pause: however many messages come, nobody tries before."""
    pause = _note(lease, error.message)
    lease.keep(until=time.time() + pause)
    lease.clear_wakeup()
    wakeup.wake_for_messages(wait=pause + SOON)


def _note(lease: OutboxLease, trouble: str) -> float:
    """Count the failure and log it, once; seconds to wait before the next try."""
    if trouble != lease.trouble:
        logger.warning("Messages cannot be sent: %s", trouble)
    lease.failed_one(trouble)
    return backoff(lease.failures, longest=MAX_PAUSE)
