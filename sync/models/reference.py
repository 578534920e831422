"""Reference data kept in local tables: what other programs read instead of asking a portal each time.

These tables may stand in another application's database, and other tables may stand in their place (see
`Directory`). The sync writes the columns of a directory's field map and no others.
"""

from __future__ import annotations

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, models
from django.utils.translation import gettext_lazy as _


class FromPortal(models.Model):
    """A row that a portal's record stands behind: its ID there, and since when it is gone there."""

    btxid = models.BigIntegerField(_("ID in Bitrix24"), unique=True, null=True, blank=True)
    gone_at = models.DateTimeField(_("gone from Bitrix24 since"), null=True, blank=True)

    class Meta:
        abstract = True


class City(FromPortal):
    """A city."""

    name = models.CharField(_("name"), max_length=255)

    class Meta(FromPortal.Meta):
        verbose_name = _("city")
        verbose_name_plural = _("cities")
        indexes = [models.Index(fields=["name"], name="city_by_name")]

    def __str__(self) -> str:
        return self.name


class Object(FromPortal):
    """A building site or another place that is inspected."""

    name = models.CharField(_("name"), max_length=255)
    city = models.ForeignKey(City, models.PROTECT, null=True, blank=True, verbose_name=_("city"))
    state = models.CharField(_("state"), max_length=255, blank=True, db_default="")

    class Meta(FromPortal.Meta):
        verbose_name = _("object")
        verbose_name_plural = _("objects")
        indexes = [models.Index(fields=["name"], name="object_by_name")]

    def __str__(self) -> str:
        return self.name


class ViolationCategory(FromPortal):
    """A kind of violations."""

    name = models.CharField(_("name"), max_length=255)

    class Meta(FromPortal.Meta):
        verbose_name = _("category of violations")
        verbose_name_plural = _("categories of violations")
        indexes = [models.Index(fields=["name"], name="category_by_name")]

    def __str__(self) -> str:
        return self.name


class Violation(FromPortal):
    """A violation that an inspector may find."""

    name = models.CharField(_("name"), max_length=255)
    category = models.ForeignKey(
        ViolationCategory, models.PROTECT, null=True, blank=True, verbose_name=_("category")
    )
    state = models.CharField(_("state"), max_length=255, blank=True, db_default="")

    class Meta(FromPortal.Meta):
        verbose_name = _("violation")
        verbose_name_plural = _("violations")
        indexes = [models.Index(fields=["name"], name="violation_by_name")]

    def __str__(self) -> str:
        return self.name


class User(FromPortal):
    """A person of the reference application, not of this service. `tg_id` and `secret_key` are local."""

    first_name = models.CharField(_("first name"), max_length=150, blank=True, db_default="")
    last_name = models.CharField(_("last name"), max_length=150, blank=True, db_default="")
    tg_id = models.BigIntegerField(_("Telegram ID"), null=True, blank=True)
    secret_key = models.CharField(_("secret key"), max_length=255, blank=True, db_default="")

    class Meta(FromPortal.Meta):
        verbose_name = _("reference user")
        verbose_name_plural = _("reference users")
        indexes = [models.Index(fields=["first_name", "last_name"], name="user_by_name")]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class ReferenceRecord(models.Model):
    """A record of a directory that has no table of its own. `details`: its other fields, as a JSON object."""

    directory = models.CharField(_("directory"), max_length=40)
    btxid = models.CharField(_("ID in Bitrix24"), max_length=60, null=True, blank=True)
    name = models.CharField(_("name"), max_length=255)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name=_("parent"))
    details = models.TextField(_("details"), db_default="{}")
    gone_at = models.DateTimeField(_("gone from Bitrix24 since"), null=True, blank=True)

    class Meta:
        verbose_name = _("reference record")
        verbose_name_plural = _("reference records")
        constraints = [models.UniqueConstraint(fields=["directory", "btxid"], name="one_record_an_id")]
        indexes = [models.Index(fields=["directory", "name"], name="record_by_name")]

    def __str__(self) -> str:
        return self.name


class ReferenceRouter:
    """Which database holds what: reference tables in theirs (settings.DIRECTORIES_ALIAS), the rest here."""

    def db_for_read(self, model: type[models.Model], **hints: object) -> str | None:
        """Django asks before it reads."""
        return settings.DIRECTORIES_ALIAS if is_reference(model._meta.model_name) else None

    def db_for_write(self, model: type[models.Model], **hints: object) -> str | None:
        """Django asks before it writes."""
        return self.db_for_read(model)

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: object
    ) -> bool | None:
        """Nothing of ours goes into another application's database but the reference tables."""
        is_theirs = app_label == "sync" and is_reference(model_name)
        return db == (settings.DIRECTORIES_ALIAS if is_theirs else DEFAULT_DB_ALIAS)


def is_reference(model_name: str | None) -> bool:
    """Whether the model is one of the reference tables."""
    return model_name in {model._meta.model_name for model in TABLES}


TABLES = (City, Object, ViolationCategory, Violation, User, ReferenceRecord)
