"""Messages to be sent over RabbitMQ: stored in the transaction of what they tell about, sent afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import transaction

from sync.models import Message
from sync.queue import wakeup


def put(messages: Iterable[Message], *, wake: Callable[[], object] | None = None) -> None:
    """Store the messages, in their order. A worker sends them (`publisher.send`) after the commit; it is
    woken by `wake`, or here.
    """
    if Message.objects.bulk_create(messages):
        # not before the commit: a wake-up that is queued then may be answered too early for these; and
        # whatever happens to it, they are stored: the caller must not learn that nothing was done
        transaction.on_commit(wake or wakeup.wake_for_messages, robust=True)
