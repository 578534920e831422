"""Portal: one account in one outside system, and the slots through which we call it."""

from __future__ import annotations

import hmac

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.models.lease import Lease
from sync.models.secret import SecretField
from sync.policies.rate_limit import Limits


class Portal(models.Model):
    """One account in one outside system, with its secrets and how fast we may call it."""

    MIN_TOKEN, SAFE_TOKEN = 8, 16
    """Characters of an inbound token: with fewer it is refused, or told to be short."""

    slug = models.SlugField(
        _("slug"),
        unique=True,
        max_length=40,
        help_text=_("Part of its webhook address: /inbound/from-SLUG."),
    )
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("system"), max_length=20, default="bitrix24")
    webhook_url = SecretField(
        _("webhook address"),
        blank=True,
        help_text=_(
            "Incoming webhook: https://…/rest/USER/CODE/. Stored encrypted. Empty for the users API: its "
            "messages come over RABBITMQ_URL."
        ),
    )
    inbound_token = SecretField(
        _("inbound token"),
        blank=True,
        help_text=_(
            "The secret its webhooks must bring. Stored encrypted; webhooks are refused while empty."
        ),
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"), default=20, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    burst = models.PositiveIntegerField(
        _("burst"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text=_("How many requests may go at once after a quiet time; the minute still holds."),
    )
    bucket_size = models.PositiveIntegerField(
        _("vendor's bucket"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text=_("50; 250 on the Enterprise plan."),
    )
    bucket_leak = models.FloatField(
        _("vendor's leak, requests a second"),
        default=2.0,
        validators=[MinValueValidator(0.01)],
        help_text=_("2; 5 on the Enterprise plan."),
    )
    slots = models.PositiveSmallIntegerField(
        _("requests at once"), default=2, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    request_seconds = models.FloatField(
        _("longest request, seconds"),
        default=60,
        validators=[MinValueValidator(0.5)],
        help_text=_("After this time the portal cuts its own work; 60 in the Bitrix24 cloud."),
    )
    is_paused = models.BooleanField(
        _("paused"),
        default=False,
        help_text=_("Nothing is sent; what arrives is kept and goes out afterwards."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("portal")
        verbose_name_plural = _("portals")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name or self.slug

    @property
    def limits(self) -> Limits:
        """How fast we may call it."""
        return Limits(
            per_minute=self.requests_per_minute,
            burst=self.burst,
            bucket_size=self.bucket_size,
            bucket_leak=self.bucket_leak,
        )

    @property
    def read_timeout(self) -> float:
        """Seconds we wait for an answer: a little longer than the portal works on a request."""
        return self.request_seconds * 65 / 60

    @property
    def lease_seconds(self) -> float:
        """How long a worker may hold jobs: connect, one request, and time to settle it."""
        return self.read_timeout + 10

    def accepts(self, tokens: list[str]) -> bool:
        """Whether one of `tokens` is the inbound token; constant time, never for an empty secret."""
        secret = self.inbound_token.encode()
        matches = [hmac.compare_digest(token.encode(), secret) for token in tokens]
        return bool(secret) and any(matches)


SPARE = 5.0
"""Seconds a slot's lease is longer than a request needs, so that not each request has to prolong it."""


class Slot(Lease):
    """One request that a portal may have in flight; a worker holds it while it drains the portal.

    Number `SORTING` is no request: its row is locked while the portal's events are sorted.
    """

    SORTING = 0

    portal = models.ForeignKey(Portal, models.CASCADE, related_name="slot_rows")
    number = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["portal", "number"], name="one_row_a_slot")]

    def __str__(self) -> str:
        return f"{self.portal_id}/{self.number}"

    @classmethod
    def take(cls, portal: Portal, holder: str, *, now: float) -> Slot | None:
        """A free slot of the portal, now held by `holder` for a lease; None when all are held."""
        slots = cls.objects.filter(portal=portal, number__range=(1, portal.slots))
        if slots.count() < portal.slots:
            rows = [Slot(portal=portal, number=number) for number in range(1, portal.slots + 1)]
            Slot.objects.bulk_create(rows, ignore_conflicts=True)
        for slot in slots.filter(cls.free_at(now)).order_by("number"):
            if slot.hold(holder, now=now, until=now + portal.lease_seconds + SPARE):
                return slot
        return None

    @classmethod
    def lock_sorting(cls, portal_id: int) -> None:
        """Let nobody else sort for the portal until this transaction ends.

        The portal's own row would do, but each new event refers to it: MySQL would have every webhook wait
        for the end of the sorting.
        """
        row, _ = cls.objects.get_or_create(portal_id=portal_id, number=cls.SORTING)
        cls.objects.select_for_update().get(pk=row.pk)

    def keep(self, *, until: float) -> bool:
        """Have the lease last until then, or a little longer; False when another worker has the slot."""
        return self.lease_until >= until or super().keep(until=until + SPARE)
