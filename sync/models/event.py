"""Event: what arrived, as it arrived (the inbox row)."""

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from sync.models.portal import Portal


class Event(models.Model):
    """One accepted webhook. Secrets never get here; `details` and `params` together are what it brought."""

    class Outcome(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", _("waiting to be sorted")
        QUEUED = "queued", _("made a job")
        FOLDED = "folded", _("joined a waiting job")
        IGNORED = "ignored", _("nothing to do")

    portal = models.ForeignKey(Portal, models.CASCADE, related_name="events", verbose_name=_("portal"))
    fingerprint = models.CharField(max_length=64)
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    remote_addr = models.CharField(_("from address"), max_length=45, blank=True)
    entity = models.CharField(_("about"), max_length=40)
    action = models.CharField(_("what happened"), max_length=20, blank=True)
    record_id = models.CharField(_("record"), max_length=40)
    own_id = models.CharField(_("sender's own ID"), max_length=40, blank=True)
    origin_id = models.CharField(_("ID on the other side"), max_length=40, blank=True)
    params = models.JSONField(_("parameters"), default=dict)
    details = models.JSONField(_("details"), default=dict)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.WAITING)
    note = models.TextField(_("why"), blank=True)
    repeats = models.PositiveIntegerField(_("repeats"), default=0)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["portal", "fingerprint"], name="equal_events_once")]
        indexes = [
            models.Index(fields=["outcome", "portal", "id"], name="event_to_sort"),
            models.Index(fields=["record_id"], name="event_of_record"),
            models.Index(fields=["received_at"], name="event_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.record_id}"

    @classmethod
    def repeat(cls, portal: Portal, fingerprint: str) -> bool:
        """The same webhook came again: no second event, but its record is looked at once more. False when
        there is no first.

        Senders tell time in whole seconds: an equal webhook may be a retry, or a second change within the
        second whose first we have read already. Looking again is cheap; a lost change is not.
        """
        first = cls.objects.filter(portal=portal, fingerprint=fingerprint)
        return bool(first.update(repeats=F("repeats") + 1, outcome=cls.Outcome.WAITING))
