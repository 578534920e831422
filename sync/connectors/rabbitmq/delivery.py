"""A queue that is being read: what came, handed over in batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pika.adapters.blocking_connection import BlockingChannel

AT_ONCE = 200
"""Messages the broker hands out before the first of them must be acknowledged: one batch."""

MAX_BYTES = 2 * 1024 * 1024
"""Bodies of one batch: as escaped JSON they must fit into one statement of the database (16 MiB)."""


@dataclass(frozen=True)
class Delivery:
    """A message as it came; `message_id` is "" when its sender gave it none."""

    queue: str
    body: bytes = field(repr=False)
    message_id: str = ""


Take = Callable[[list[Delivery]], list[str]]
"""Store a batch; one reason a delivery, "" for those that are stored: the others become dead letters."""


@dataclass
class Reading:
    """A queue being read: its channel, what came and was not handed over, who stores it."""

    queue: str
    channel: BlockingChannel
    take: Take
    waiting: deque[tuple[int, Delivery]] = field(default_factory=deque)

    def keep(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        """One more came."""
        message_id = properties.message_id or ""
        if isinstance(message_id, bytes):  # pika's for a text that is no UTF-8
            message_id = message_id.decode(errors="backslashreplace")
        delivery = Delivery(self.queue, body, message_id)
        self.waiting.append((method.delivery_tag, delivery))

    def batch(self) -> tuple[int, list[Delivery]]:
        """The next ones, in order, and the tag of the last."""
        tag, first = self.waiting.popleft()
        batch, size = [first], len(first.body)
        while self.waiting and (size := size + len(self.waiting[0][1].body)) <= MAX_BYTES:
            tag, delivery = self.waiting.popleft()
            batch.append(delivery)
        return tag, batch

    @property
    def is_over(self) -> bool:
        """Whether the broker has ended it: the queue was deleted, or the channel closed."""
        return not (self.channel.is_open and self.channel.consumer_tags)
