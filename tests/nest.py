"""A NestJS microservice as RabbitMQ sees it: what `ClientRMQ.emit` writes and `ServerRMQ` reads.

Written from the wire format, with pika and nothing of ours, so that our code is not compared with itself.
https://github.com/nestjs/nest/blob/master/packages/microservices/client/client-rmq.ts
https://github.com/nestjs/nest/blob/master/packages/microservices/server/server-rmq.ts
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pika


@dataclass(frozen=True)
class ReceivedMessage:
    """One message as it came over the wire."""

    body: bytes
    properties: pika.BasicProperties
    exchange: str
    routing_key: str

    @property
    def packet(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Nest:
    """A NestJS program with `{queue, queueOptions: {durable: true}, persistent: true}`."""

    def __init__(self, url: str) -> None:
        parameters = pika.URLParameters(url)
        parameters.heartbeat = 0  # a long test does not answer any
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def assert_queue(self, queue: str, **arguments: Any) -> None:
        """Declare a durable queue, as amqplib's assertQueue; raises when it exists with other settings."""
        self.channel.queue_declare(queue, durable=True, arguments=arguments or None)

    def emit(
        self, queue: str, pattern: str, data: Any, *, properties: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """`client.emit(pattern, data)`: JSON.stringify leaves no blanks and no escapes."""
        packet = {"pattern": pattern, "data": data, **more}
        body = json.dumps(packet, ensure_ascii=False, separators=(",", ":")).encode()
        self.write(queue, body, **(properties or {}))

    def write(self, queue: str, body: bytes, **properties: Any) -> None:
        """Write any body."""
        self.assert_queue(queue)
        with_headers = pika.BasicProperties(delivery_mode=2, headers={}, **properties)
        self.channel.basic_publish("", queue, body, with_headers)

    def get(self, queue: str, *, seconds: float = 10) -> ReceivedMessage:
        """The next message; AssertionError when none comes."""
        self.assert_queue(queue)
        ends = time.monotonic() + seconds
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is not None:
                return ReceivedMessage(body, properties, method.exchange, method.routing_key)
            assert time.monotonic() < ends, f"nothing came into {queue}"
            time.sleep(0.1)

    def get_all(self, queue: str, count: int, *, seconds: float = 30) -> list[ReceivedMessage]:
        """The next `count` messages, in their order."""
        return [self.get(queue, seconds=seconds) for _ in range(count)]

    def count(self, queue: str) -> int:
        """The number of messages that wait in the queue."""
        return int(self.channel.queue_declare(queue, passive=True).method.message_count)

    def delete(self, queue: str) -> None:
        """Delete the queue, if it exists."""
        if not self.channel.is_open:
            self.channel = self.connection.channel()
        with suppress(pika.exceptions.ChannelClosedByBroker):
            self.channel.queue_delete(queue)

    def close(self) -> None:
        """Close the connection."""
        with suppress(pika.exceptions.AMQPError):
            self.connection.close()
