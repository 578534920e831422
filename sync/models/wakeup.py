"""One bell under way at most: what `bell.py` books before it rings."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class Wakeable(models.Model):
    """A row that somebody looks at when a bell rings; `wake_at` is the Unix time of the bell under way."""

    wake_at = models.FloatField(null=True)

    class Meta:
        abstract = True

    def book_wakeup(self, at: float, *, now: float, early: float, stale: float) -> bool:
        """Whether a bell for `at` is worth ringing: none is under way, or only a later or a lost one."""
        no_bell = Q(wake_at=None) | Q(wake_at__gt=at + early) | Q(wake_at__lt=now - stale)
        return bool(self._rows().filter(no_bell).update(wake_at=at))

    def clear_wakeup(self) -> None:
        """The bell was answered: the next one may be rung."""
        self._rows().update(wake_at=None)

    def _rows(self) -> models.QuerySet[Any]:
        return type(self)._default_manager.filter(pk=self.pk)
