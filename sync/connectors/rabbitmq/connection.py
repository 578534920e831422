"""One connection to RabbitMQ: writing with confirms, reading in batches, counting.

Queues are declared as NestJS declares them, durable and without arguments, on the default exchange. One
that exists with other arguments is used as it is.
https://www.rabbitmq.com/docs/confirms
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import ChannelClosedByBroker
from pika.spec import ACCESS_REFUSED, NOT_FOUND, PERSISTENT_DELIVERY_MODE, PRECONDITION_FAILED

from sync.connectors.rabbitmq.delivery import AT_ONCE, Delivery, Reading, Take
from sync.connectors.rabbitmq.errors import FAULTS, in_our_words
from sync.errors import NeedsStaff, TryLater
from sync.i18n import gettext as _

HEARTBEAT = 30
"""Seconds without a sign of life after which a connection counts as lost, unless RABBITMQ_URL says else."""

CONNECT_SECONDS = 5.0
HANDSHAKE_SECONDS = 10.0
BLOCKED_SECONDS = 10.0
"""How long we wait for a broker that takes no messages (memory or disk alarm)."""

MAX_REASON = 1000
"""Characters; all headers of a message share one frame."""

DEAD = ".dead"
"""What the queue of dead letters is called after its queue's name."""


@dataclass(frozen=True)
class QueueState:
    """Messages nobody has taken, and who reads."""

    messages: int
    consumers: int


class Connection:
    """An open connection; every method raises TryLater when it is lost, NeedsStaff when RabbitMQ says no."""

    def __init__(self, connection: BlockingConnection, *, address: str, user: str) -> None:
        self.address = address
        self._user = user
        self._connection = connection
        self._writing: BlockingChannel | None = None
        self._declared: set[str] = set()
        self._readings: dict[str, Reading] = {}

    def publish(
        self, queue: str, body: bytes, *, message_id: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Write one persistent message; on return RabbitMQ has it on its disk.

        NeedsStaff concerns this queue alone.
        """
        with self._in_our_words():
            channel = self._to_write(queue)
            properties = pika.BasicProperties(
                delivery_mode=PERSISTENT_DELIVERY_MODE,
                message_id=message_id or None,
                headers=dict(headers) if headers else None,
            )
            try:
                channel.basic_publish("", queue, body, properties, mandatory=True)
            except FAULTS:
                self._declared.discard(queue)
                raise

    def read(self, queue: str, take: Take) -> bool:
        """Begin to read a queue, alone; False while somebody else does.

        Alone, because two readers would mix the order of a user's messages.
        """
        with self._in_our_words():
            channel = self._declare(self._connection.channel(), queue)
            state = self.state_of(queue)
            if state and state.consumers:  # who stands by asks often: no error in RabbitMQ's log each time
                channel.close()
                return False
            reading = Reading(queue, channel, take)
            channel.basic_qos(prefetch_count=AT_ONCE)
            try:
                channel.basic_consume(queue, reading.keep, exclusive=True)
            except ChannelClosedByBroker as refusal:
                if refusal.reply_code == ACCESS_REFUSED and "exclusive" in refusal.reply_text:
                    return False
                raise
        self._readings[queue] = reading
        return True

    def turn(self, seconds: float) -> None:
        """Wait at most so long for messages; hand over what has come, then acknowledge it.

        Whatever `take` raises comes out here; its messages are not acknowledged.
        """
        with self._in_our_words():
            self._connection.process_data_events(time_limit=seconds)
        for reading in self._readings.values():
            while reading.waiting:
                self._hand_over(reading)
            if reading.is_over:
                raise TryLater(
                    _("RabbitMQ at %(address)s has ended the reading of queue %(queue)s; it begins anew.")
                    % {"address": self.address, "queue": reading.queue}
                )

    def state_of(self, queue: str) -> QueueState | None:
        """How the queue stands; None when there is none of that name."""
        with self._in_our_words():
            channel = self._connection.channel()
            try:
                message = channel.queue_declare(queue, passive=True).method
            except ChannelClosedByBroker as refusal:
                if refusal.reply_code == NOT_FOUND:
                    return None
                raise
            channel.close()
        return QueueState(messages=message.message_count, consumers=message.consumer_count)

    def close(self) -> None:
        """End it; acknowledgements under way still go out."""
        with suppress(*FAULTS):
            self._connection.close()

    def _hand_over(self, reading: Reading) -> None:
        tag, batch = reading.batch()
        reasons = reading.take(batch)
        for delivery, reason in zip(batch, reasons, strict=True):
            if reason:
                self._bury(delivery, reason)
        with self._in_our_words():
            reading.channel.basic_ack(tag, multiple=True)

    def _bury(self, delivery: Delivery, reason: str) -> None:
        """Put a message aside with the reason; confirmed before it is acknowledged, so it cannot be lost."""
        headers = {
            "reason": reason[:MAX_REASON],
            "queue": delivery.queue,
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        dead = delivery.queue + DEAD
        self.publish(dead, delivery.body, message_id=delivery.message_id, headers=headers)

    def _to_write(self, queue: str) -> BlockingChannel:
        """The channel with confirms, the queue declared."""
        if self._writing is None or not self._writing.is_open:
            self._writing = self._connection.channel()
            self._writing.confirm_delivery()
            self._declared.clear()
        if queue not in self._declared:
            declared_on = self._declare(self._connection.channel(), queue)
            declared_on.close()
            self._declared.add(queue)
        return self._writing

    def _declare(self, channel: BlockingChannel, queue: str) -> BlockingChannel:
        """A channel on which the queue was declared; another one when the first did not survive it."""
        try:
            channel.queue_declare(queue, durable=True)
        except ChannelClosedByBroker as refusal:
            # declared by somebody with other arguments, or not ours to declare: it is there, so all is well
            if refusal.reply_code not in (PRECONDITION_FAILED, ACCESS_REFUSED):
                raise
            channel = self._connection.channel()
            channel.queue_declare(queue, passive=True)
        return channel

    def _in_our_words(self) -> Any:
        return in_our_words(self.address, self._user)


@contextmanager
def connect(url: str, *, name: str) -> Iterator[Connection]:
    """A connection for as long as the block lasts; `name` is what RabbitMQ's own screens show.

    `url`: amqp://user:password@host:port/virtual-host, amqps for TLS, options as pika knows them
    (https://pika.readthedocs.io/en/stable/modules/parameters.html). Raises NeedsStaff (wrong password, no
    such virtual host, an address nobody can read) or TryLater (nobody answers).
    """
    parameters = _parameters(url, name)
    user = getattr(parameters.credentials, "username", "")
    address = f"{parameters.host}:{parameters.port}/{parameters.virtual_host.removeprefix('/')}"
    with in_our_words(address, user):
        connection = BlockingConnection(parameters)
    link = Connection(connection, address=address, user=user)
    try:
        yield link
    finally:
        link.close()


def _parameters(url: str, name: str) -> pika.URLParameters:
    try:
        is_ours = urlsplit(url).scheme in ("amqp", "amqps")
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError, LookupError):  # their texts repeat parts of the address: not shown
        is_ours = False
    if not is_ours:
        raise NeedsStaff(
            _("RABBITMQ_URL cannot be read. It looks like amqp://user:password@host:5672/ or amqps://…")
        )
    parameters.connection_attempts = 1
    parameters.socket_timeout = CONNECT_SECONDS
    parameters.stack_timeout = HANDSHAKE_SECONDS
    parameters.blocked_connection_timeout = BLOCKED_SECONDS
    parameters.heartbeat = HEARTBEAT if parameters.heartbeat is None else parameters.heartbeat
    parameters.client_properties = {"connection_name": f"B24 Interconnector: {name}"}
    return parameters
