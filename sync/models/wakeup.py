"""Wakeable: a row for which at most one wake-up is queued."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class Wakeable(models.Model):
    """A row that a worker looks at when a wake-up arrives. `wake_at`: when the queued one is due, in Unix
    seconds; None when none is queued.
    """

    wake_at = models.FloatField(null=True)

    class Meta:
        abstract = True

    def book_wakeup(self, at: float, *, now: float, early: float, stale: float) -> bool:
        """Whether a wake-up at `at` is worth queueing: none is queued, or only a later or a lost one.

        `early`: seconds by which it must be earlier than the queued one. `stale`: seconds after its time when
        a wake-up that nobody answered is taken for lost.
        """
        no_wakeup = Q(wake_at=None) | Q(wake_at__gt=at + early) | Q(wake_at__lt=now - stale)
        return bool(self._rows().filter(no_wakeup).update(wake_at=at))

    def clear_wakeup(self) -> None:
        """The wake-up was answered: the next one may be queued."""
        self._rows().update(wake_at=None)

    def _rows(self) -> models.QuerySet[Any]:
        return type(self)._default_manager.filter(pk=self.pk)
