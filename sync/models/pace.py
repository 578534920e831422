"""Pace: the state of one portal's limits, shared by every worker on every host.

One row a portal, apart from Portal so that staff who save a portal never overwrite it. Times are Unix
seconds: they are compared and moved inside one conditional UPDATE on every database.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from sync.models.portal import Portal
from sync.models.wakeup import Wakeable
from sync.policies.rate_limit import (
    BREAKER_OPENS_AFTER,
    GROWS_AFTER,
    MAX_SHRUNK,
    Limits,
    Permit,
    probe_wait,
    seconds_until_free,
)


class Pace(Wakeable):
    """How far a portal's budget is spent, whether it answers, and when somebody will look at it next.

    `away_until`: when the next probe may go; with the breaker closed, when the last failure was counted.
    """

    portal = models.OneToOneField(Portal, models.CASCADE, primary_key=True)
    tat = models.FloatField(default=0)
    bucket_tat = models.FloatField(default=0)
    failures = models.PositiveIntegerField(default=0)
    away_until = models.FloatField(default=0)
    trouble = models.TextField(blank=True)
    shrunk = models.PositiveSmallIntegerField(default=0)
    passed = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"pace of {self.portal_id}"

    @property
    def is_away(self) -> bool:
        """Whether the breaker is open."""
        return self.failures >= BREAKER_OPENS_AFTER

    @classmethod
    def of(cls, portal: Portal) -> Pace:
        """The portal's row, made when it is missing."""
        return cls.objects.get_or_create(portal=portal)[0]

    def permit(self, limits: Limits, *, now: float) -> Permit:
        """Ask for one request, in one conditional UPDATE that all workers share.

        While the breaker is open only one probe passes each time, and its successor is booked here,
        before the call, so that a crash cannot let a crowd through.
        """
        free = self._rows().filter(
            tat__lte=now + limits.tolerance, bucket_tat__lte=now + limits.bucket_tolerance
        )
        taken = {
            "tat": Greatest(F("tat"), Value(now)) + limits.interval,
            "bucket_tat": Greatest(F("bucket_tat"), Value(now)) + limits.bucket_interval,
        }
        if self.is_away:
            booked = now + probe_wait(self.failures)
            is_granted = free.filter(away_until__lte=now).update(**taken, away_until=booked)
        else:
            is_granted = free.filter(failures__lt=BREAKER_OPENS_AFTER).update(**taken)
        if is_granted:
            return Permit(is_granted=True, is_probe=self.is_away, shrunk=self.shrunk)
        self.refresh_from_db()
        return Permit(is_granted=False, wait=self.wait(limits, now=now))

    def take_one(self, limits: Limits, *, now: float) -> bool:
        """Take one request for staff's own question: the limits hold, but an open breaker lets it pass."""
        free = self._rows().filter(
            tat__lte=now + limits.tolerance, bucket_tat__lte=now + limits.bucket_tolerance
        )
        return bool(
            free.update(
                tat=Greatest(F("tat"), Value(now)) + limits.interval,
                bucket_tat=Greatest(F("bucket_tat"), Value(now)) + limits.bucket_interval,
            )
        )

    def wait(self, limits: Limits, *, now: float) -> float:
        """Seconds until the next request may go."""
        waits = [
            seconds_until_free(now, self.tat, limits.tolerance),
            seconds_until_free(now, self.bucket_tat, limits.bucket_tolerance),
        ]
        if self.is_away:
            waits.append(self.away_until - now)
        return max(0.0, *waits)

    def count_late_one(self, limits: Limits, *, now: float) -> None:
        """A request leaves long after its permit: the portal counts it now, so the pace does, too."""
        self._rows().update(tat=Greatest(F("tat"), Value(now)) + limits.interval)

    def refund(self, limits: Limits) -> None:
        """Give a permit back that no request used."""
        self._rows().update(
            tat=F("tat") - limits.interval, bucket_tat=F("bucket_tat") - limits.bucket_interval
        )

    def passed_one(self) -> None:
        """A request was answered: the breaker closes, a halved parcel grows back after a while."""
        if self.failures:
            self._rows().update(failures=0, away_until=0, trouble="")
        if self.shrunk:
            self._rows().update(passed=F("passed") + 1)
            self._rows().filter(passed__gte=GROWS_AFTER, shrunk__gt=0).update(
                shrunk=F("shrunk") - 1, passed=0
            )

    def failed_one(self, trouble: str, *, began: float, now: float, is_lasting: bool = False) -> None:
        """A whole request that `began` then has failed: count it; `is_lasting` (wrong key, ended licence)
        opens the breaker at once.

        Requests that were under way together fail together: they count as one.
        """
        self.refresh_from_db()
        if began < self._counted_at:
            return
        failures = self.failures + 1
        if is_lasting:
            failures = max(failures, BREAKER_OPENS_AFTER)
        wait = probe_wait(failures) if failures >= BREAKER_OPENS_AFTER else 0
        unseen = self._rows().filter(failures=self.failures)  # else another worker has counted it just now
        unseen.update(failures=failures, trouble=trouble, away_until=now + wait)
        self.refresh_from_db()

    @property
    def _counted_at(self) -> float:
        """When the last failure was counted, or the last probe let through."""
        return self.away_until - probe_wait(self.failures) if self.is_away else self.away_until

    def halve(self) -> None:
        """A parcel timed out: the next one is half as large."""
        self._rows().filter(shrunk__lt=MAX_SHRUNK).update(shrunk=F("shrunk") + 1, passed=0)

    def push(self, seconds: float, *, now: float) -> None:
        """The portal said "too many": nobody asks again for `seconds`."""
        until = now + seconds
        self._rows().update(
            tat=Greatest(F("tat"), Value(until)), bucket_tat=Greatest(F("bucket_tat"), Value(until))
        )


class MethodBudget(models.Model):
    """A vendor method that may not be called for a while (its time budget is spent)."""

    portal = models.ForeignKey(
        Portal, models.CASCADE, related_name="method_budgets", verbose_name=_("portal")
    )
    method = models.CharField(_("method"), max_length=100)
    blocked_until = models.FloatField()

    class Meta:
        verbose_name = _("method budget")
        verbose_name_plural = _("method budgets")
        constraints = [models.UniqueConstraint(fields=["portal", "method"], name="one_budget_a_method")]

    def __str__(self) -> str:
        return f"{self.portal_id} {self.method}"

    @classmethod
    def block(cls, portal: Portal, method: str, *, until: float) -> None:
        """No call of `method` on the portal until the Unix time `until`."""
        cls.objects.update_or_create(portal=portal, method=method, defaults={"blocked_until": until})

    @classmethod
    def blocked(cls, portal: Portal, *, now: float) -> dict[str, float]:
        """Methods blocked at `now`, each with the Unix time it is free again."""
        rows = cls.objects.filter(portal=portal, blocked_until__gt=now)
        return dict(rows.values_list("method", "blocked_until"))
