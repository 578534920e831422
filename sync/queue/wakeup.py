"""Waking a worker, now or at a moment. A wake-up says "look at portal 3", nothing more.

Wake-ups are disposable: the Job table is the truth, and `tasks.sweep` queues another where one was lost.
At most about one is queued for a portal, so the queue table of django-q2 stays tiny.
"""

import time
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.tasks import async_task

from sync.models import OutboxLease, Pace
from sync.models.wakeup import Wakeable

EARLY = 0.2
"""Seconds: a wake-up that is earlier than the queued one by no more than this is not worth queueing."""

STALE = 5.0
"""Seconds after its time when a queued wake-up is taken for lost."""

SOON = 0.05
"""Seconds: nearer than this is now."""


class TimedBroker(ORM):
    """django-q2's database broker with a time: nobody pulls the message before it."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    def enqueue(self, task: str) -> int:
        """Store the message, locked until its time; its row's ID."""
        row: OrmQ = self.get_connection().create(key=self.list_key, payload=task, lock=self.at)
        return int(row.pk)


def wake(portal_id: int, *, wait: float = 0.0) -> bool:
    """Have a worker look at the portal in `wait` seconds; False when a wake-up is queued already."""
    return _wake(Pace(pk=portal_id), "sync.tasks.drain", portal_id, wait=wait)


def wake_for_messages(*, wait: float = 0.0) -> bool:
    """Have a worker send the stored messages in `wait` seconds; False when a wake-up is queued already."""
    return _wake(OutboxLease(pk=OutboxLease.ROW), "sync.tasks.send_messages", wait=wait)


def _wake(row: Wakeable, task: str, *args: int, wait: float) -> bool:
    """Cheap when a wake-up is queued: a plain read. In a transaction it is queued after the commit."""
    now = time.time()
    at = now + wait
    rows = type(row)._default_manager
    known = list(rows.filter(pk=row.pk).values_list("wake_at", flat=True))
    if not known:
        rows.get_or_create(pk=row.pk)
    if known and known[0] is not None and now - STALE <= known[0] <= at + EARLY:
        return False
    if not row.book_wakeup(at, now=now, early=EARLY, stale=STALE):
        return False
    transaction.on_commit(lambda: _enqueue(task, *args, at=at))
    return True


def enqueue(task: str, *args: int) -> None:
    """Have a worker run a task of ours now; lost with the queue, so only for what comes round again."""
    _enqueue(task, *args, at=time.time())


def _enqueue(task: str, *args: int, at: float) -> None:
    moment = (
        timezone.now()
        if at <= time.time() + SOON
        else datetime.fromtimestamp(at, tz=timezone.get_default_timezone())
    )
    async_task(task, *args, broker=TimedBroker(moment))
