"""Route and its mappings: from which portal to which, by which flow, and what becomes of each field."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from sync.models.portal import Portal


class Route(models.Model):
    """Source portal → target portal by one flow; `options` are the flow's own settings, checked by it."""

    KEPT_ONCE_LINKED = ("flow", "source", "target")
    """Its links are IDs of these two portals; with others they would mean other records."""

    SAME_PORTAL = _("source and target are the same portal")
    """Why nothing can be done between them."""

    ORIGINATOR = "b24-interconnector"
    """The first word of every stamp."""

    slug = models.SlugField(_("slug"), unique=True, max_length=60)
    name = models.CharField(_("name"), max_length=100, blank=True)
    flow = models.CharField(_("flow"), max_length=20, default="deals")
    source = models.ForeignKey(Portal, models.PROTECT, related_name="routes_out", verbose_name=_("from"))
    target = models.ForeignKey(
        Portal,
        models.PROTECT,
        related_name="routes_in",
        verbose_name=_("to"),
        null=True,
        blank=True,
        help_text=_("Empty for directories: they end in our own tables."),
    )
    is_paused = models.BooleanField(
        _("paused"),
        default=False,
        help_text=_("Nothing is sent; what arrives is kept and goes out afterwards."),
    )
    reconcile_minutes = models.PositiveIntegerField(
        _("look for missed changes every, minutes"),
        default=15,
        validators=[MaxValueValidator(100_000)],
        help_text=_("0 switches it off."),
    )
    next_reconcile_at = models.DateTimeField(null=True, editable=False, db_column="look_at")
    reconciled_until = models.DateTimeField(_("no change missed until"), null=True, editable=False)
    options = models.JSONField(_("options"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name or self.slug

    def clean(self) -> None:
        """A route between a portal and itself would answer its own echo for ever."""
        if self.source_id and self.source_id == self.target_id:
            raise ValidationError({"target": capfirst(self.SAME_PORTAL)})

    @property
    def stamp(self) -> str:
        """What records that we create bear as their originator: one word a route."""
        return f"{self.ORIGINATOR}/{self.slug}"

    def portal_id_of(self, side: str) -> int:
        """The portal on `side`: "source", or "target" where the flow has one."""
        return self.target_id if side == "target" and self.target_id else self.source_id


class FieldMapping(models.Model):
    """One row staff edit: where a field of the receiving record gets its value from."""

    class Direction(models.TextChoices):
        """Which way the value travels."""

        FORWARD = "forward", _("source → target")
        BACK = "back", _("target → source")

    class Origin(models.TextChoices):
        """What the value is made of."""

        FIELD = "field", _("field of the record")
        PARAM = "param", _("webhook parameter")
        VALUE = "value", _("fixed value")
        TEMPLATE = "template", _("text with {FIELDS}")

    class When(models.TextChoices):
        """On which writes it goes along."""

        ALWAYS = "always", _("always")
        CREATE = "create", _("when created")
        UPDATE = "update", _("when updated")

    class Otherwise(models.TextChoices):
        """What becomes of a value that the value list does not know."""

        SKIP = "skip", _("leave the field alone")
        KEEP = "keep", _("send it as it is")
        FAIL = "fail", _("stop and tell staff")

    route = models.ForeignKey(Route, models.CASCADE, related_name="mappings", verbose_name=_("route"))
    direction = models.CharField(
        _("direction"), max_length=10, choices=Direction.choices, default=Direction.FORWARD
    )
    position = models.PositiveIntegerField(_("order"), default=0)
    to = models.CharField(_("to field"), max_length=100)
    origin = models.CharField(_("taken from"), max_length=10, choices=Origin.choices, default=Origin.FIELD)
    source = models.TextField(
        _("name or text"), help_text=_("Field name, parameter name, fixed value or text.")
    )
    default = models.TextField(_("when empty"), blank=True)
    fallback = models.CharField(_("else field"), max_length=100, blank=True)
    when = models.CharField(_("when"), max_length=10, choices=When.choices, default=When.ALWAYS)
    otherwise = models.CharField(
        _("unknown value"), max_length=10, choices=Otherwise.choices, default=Otherwise.FAIL
    )

    class Meta:
        verbose_name = _("field mapping")
        verbose_name_plural = _("field mappings")
        ordering = ["direction", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["route", "direction", "to", "when"], name="one_mapping_a_field")
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.to}"

    @staticmethod
    def key_of(to: str, when: str) -> tuple[str, str]:
        """Equal for rows of one direction that would write the same field on the same occasion.

        MySQL compares without case, so what differs in case only would break the constraint there.
        """
        return to.strip().casefold(), when


class ValueMapping(models.Model):
    """One value here and what it is there."""

    mapping = models.ForeignKey(FieldMapping, models.CASCADE, related_name="values")
    value = models.CharField(_("value"), max_length=200)
    becomes = models.CharField(_("becomes"), max_length=200)

    class Meta:
        verbose_name = _("value mapping")
        verbose_name_plural = _("value mappings")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["mapping", "value"], name="one_meaning_a_value")]

    def __str__(self) -> str:
        return f"{self.value} → {self.becomes}"
