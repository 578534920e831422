"""Lease: a row that one worker at a time holds, until a moment that it may prolong."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Lease(models.Model):
    """A row with a holder. Every change is one conditional UPDATE, so two workers never both succeed.

    A lease that has run out counts as free: its holder has died, or is too slow. Times are Unix seconds.
    """

    holder = models.CharField(max_length=40, blank=True)
    lease_until = models.FloatField(default=0)

    class Meta:
        abstract = True

    @staticmethod
    def free_at(now: float) -> Q:
        """The condition that nobody holds a row at `now`."""
        return Q(holder="") | Q(lease_until__lt=now)

    def hold(self, holder: str, *, now: float, until: float) -> bool:
        """Take the row for `holder` until `until`; False when another one holds it."""
        return self._update_lease(self.free_at(now), holder=holder, until=until)

    def keep(self, *, until: float) -> bool:
        """Have the lease end at `until`; False when another one has taken the row over."""
        return self._update_lease(Q(holder=self.holder), holder=self.holder, until=until)

    def release(self) -> None:
        """Give the row back, if it is still ours."""
        self._update_lease(Q(holder=self.holder), holder="", until=0)

    def _update_lease(self, condition: Q, *, holder: str, until: float) -> bool:
        rows = type(self)._default_manager.filter(condition, pk=self.pk)
        is_changed = bool(rows.update(holder=holder, lease_until=until))
        if is_changed:
            self.holder, self.lease_until = holder, until
        return is_changed
