"""Message: what is to be sent over RabbitMQ, committed together with what it tells about (the outbox)."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.lease import Lease
from sync.models.wakeup import Wakeable


class Message(models.Model):
    """One message of a queue: unsent until the broker has confirmed it. Sent in the order of the IDs."""

    queue = models.CharField(_("queue"), max_length=255)
    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    pattern = models.CharField(_("pattern"), max_length=100)
    data = models.JSONField(_("content"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        indexes = [models.Index(fields=["sent_at", "id"], name="message_to_send")]

    def __str__(self) -> str:
        return f"{self.pattern} → {self.queue}"

    @classmethod
    def unsent(cls) -> models.QuerySet[Message]:
        """What still has to go, the oldest first.

        Transactions commit in another order than that of their IDs, so there is no mark "sent up to here":
        whatever appears late below others is still unsent. Messages about one user do stand in order,
        because their transactions wait for each other (the user's row, the job's lane).
        """
        return cls.objects.filter(sent_at=None).order_by("id")

    @classmethod
    def mark_sent(cls, ids: Collection[int]) -> int:
        """These have arrived; how many were not marked yet."""
        return cls.objects.filter(pk__in=ids, sent_at=None).update(sent_at=timezone.now())


class OutboxLease(Lease, Wakeable):
    """The one row (ID 1) of whoever sends the messages: one sender at a time keeps their order.

    `failures` and `trouble` tell how often in a row sending failed, and why.
    """

    ROW = 1

    failures = models.PositiveIntegerField(default=0)
    trouble = models.TextField(blank=True)

    class Meta:
        db_table = "sync_dispatch"

    def __str__(self) -> str:
        return f"outbox held by {self.holder or 'nobody'}"

    @classmethod
    def take(cls, holder: str, *, now: float, until: float) -> OutboxLease | None:
        """The row, held by `holder` until `until`; None while another one holds it."""
        row, _made = cls.objects.get_or_create(pk=cls.ROW)
        if not row.hold(holder, now=now, until=until):
            return None
        row.refresh_from_db()
        return row

    def sent_one(self) -> None:
        """The broker answers."""
        self._rows().filter(failures__gt=0).update(failures=0, trouble="")

    def failed_one(self, trouble: str) -> None:
        """The broker did not answer, or said no."""
        self._rows().update(failures=F("failures") + 1, trouble=trouble)
        # not the holder: another one may have taken over
        self.refresh_from_db(fields=["failures", "trouble"])
