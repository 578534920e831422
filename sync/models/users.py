"""The core's own tables: users whose leads Bitrix24 keeps, and who may ask about them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

USE_NOTED_EVERY = timedelta(minutes=1)
"""A busy key would cost a write a request."""


class CoreUser(models.Model):
    """A user of the users API. `lead_state` is what the last reply of the bitrix role said."""

    class LeadState(models.TextChoices):
        """Whether Bitrix24 has the user as a lead."""

        WAITING = "waiting", _("waiting for a reply")
        LINKED = "linked", _("lead exists")
        FAILED = "failed", _("failed")

    full_name = models.CharField(_("full name"), max_length=200)
    phone = models.CharField(_("phone"), max_length=20, help_text=_("International: +79161234567."))
    stage = models.CharField(_("stage"), max_length=50, blank=True)
    bitrix_lead_id = models.PositiveBigIntegerField(_("lead in Bitrix24"), null=True, blank=True)
    lead_state = models.CharField(
        _("lead"), max_length=10, choices=LeadState.choices, default=LeadState.WAITING
    )
    lead_reason = models.TextField(_("why"), blank=True)
    replied_at = models.DateTimeField(_("last reply"), null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("user of the API")
        verbose_name_plural = _("users of the API")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["phone"], name="core_user_by_phone"),
            models.Index(fields=["full_name"], name="core_user_by_name"),
            models.Index(fields=["stage"], name="core_user_by_stage"),
            models.Index(fields=["lead_state"], name="core_user_by_lead"),
            models.Index(fields=["bitrix_lead_id"], name="core_user_by_lead_id"),
        ]

    def __str__(self) -> str:
        return f"№{self.pk} {self.full_name}"


class ApiKey(models.Model):
    """Who may use the users API. Only a digest is stored: the key itself is shown once, when it is made."""

    class Scope(models.TextChoices):
        """What a key may do."""

        READ = "users:read", _("read users")
        WRITE = "users:write", _("create and change users")

    name = models.CharField(_("name"), max_length=100, help_text=_("Who uses it: a system or a person."))
    prefix = models.CharField(_("begins with"), max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("may"), default=list)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Empty: never."))
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(key: str) -> str:
        """What is stored of a key. A key is 256 random bits: a plain hash cannot be guessed back."""
        return hashlib.sha256(key.encode()).hexdigest()

    def issue(self) -> str:
        """A fresh key for this row, which is not saved yet; nobody can read it again later."""
        key = f"b24i_{secrets.token_urlsafe(32)}"
        self.prefix, self.digest = key[:10], self.digest_of(key)
        return key

    @classmethod
    def known(cls, key: str, *, now: datetime) -> ApiKey | None:
        """The row of a key that may be used at `now`."""
        is_in_time = Q(expires_at=None) | Q(expires_at__gt=now)
        return cls.objects.filter(is_in_time, digest=cls.digest_of(key), revoked_at=None).first()

    def is_in_time(self, now: datetime) -> bool:
        """Whether it has not expired at `now`."""
        return self.expires_at is None or self.expires_at > now

    def note_use(self, now: datetime) -> None:
        """Remember that it is in use; written at most once a minute."""
        stale = now - USE_NOTED_EVERY
        if self.used_at is None or self.used_at < stale:
            is_stale = Q(used_at=None) | Q(used_at__lt=stale)
            type(self).objects.filter(is_stale, pk=self.pk).update(used_at=now)
            self.used_at = now

    def revoke(self) -> bool:
        """Refuse the key from now on; False when it was revoked before."""
        rows = type(self).objects.filter(pk=self.pk, revoked_at=None)
        return bool(rows.update(revoked_at=timezone.now()))


class IdempotentResponse(models.Model):
    """What a request with an `Idempotency-Key` was answered: the same key gets the same answer again.

    Written in the transaction of the request itself, so a request that fails leaves no row.
    """

    api_key = models.ForeignKey(ApiKey, models.CASCADE, related_name="responses")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "sync_replay"
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="one_answer_a_key")]
        indexes = [models.Index(fields=["created_at"], name="replay_by_age")]

    def __str__(self) -> str:
        return self.key
