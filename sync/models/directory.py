"""Directory: reference data of a portal kept in a local table, and what each of its runs brought."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.models.job import Job
from sync.models.route import Route
from sync.models.tree import in_circle


class Directory(models.Model):
    """What is read (method, parameters), from where (route), and which table and columns it goes to."""

    FLOW = "directories"
    """The flow whose routes read directories."""

    class Method(models.TextChoices):
        """Where the records come from."""

        LIST_ELEMENTS = "lists.element.get", _("elements of a list")
        LIST_CHOICES = "lists.field.get", _("choices of a list's field")
        ITEMS = "crm.item.list", _("items of CRM or a smart process")
        STATUSES = "crm.status.list", _("CRM statuses")
        USERS = "user.get", _("users")
        DEPARTMENTS = "department.get", _("departments")

    route = models.ForeignKey(
        Route,
        models.PROTECT,
        related_name="directories",
        verbose_name=_("route"),
        limit_choices_to={"flow": FLOW},
    )
    slug = models.SlugField(_("slug"), unique=True, max_length=40)
    name = models.CharField(_("name"), max_length=100, blank=True)
    method = models.CharField(_("read by"), max_length=40, choices=Method.choices)
    params = models.JSONField(
        _("parameters"),
        default=dict,
        blank=True,
        help_text=_('What the method needs: {"IBLOCK_TYPE_ID": "bitrix_processes", "IBLOCK_ID": 77}'),
    )
    key = models.CharField(
        _("field with the ID"), max_length=100, blank=True, help_text=_("Empty: the method's own.")
    )
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent directory"),
    )
    parent_field = models.CharField(_("field with the parent's ID"), max_length=100, blank=True)
    parent_column = models.CharField(_("column for the parent's row"), max_length=64, blank=True)
    table = models.CharField(
        _("table"), max_length=64, blank=True, help_text=_("Empty: the table of reference records.")
    )
    key_column = models.CharField(_("column with the ID"), max_length=64, default="btxid")
    gone_column = models.CharField(
        _("column that marks what is gone"),
        max_length=64,
        default="gone_at",
        blank=True,
        help_text=_("A moment or a yes/no column; empty: what is gone is only reported."),
    )
    adopt_by = models.CharField(
        _("adopt rows by"),
        max_length=200,
        default="name",
        blank=True,
        help_text=_(
            "Columns, separated by commas: a row without an ID that has the same values (and the same "
            "parent) gets the ID instead of a double. Empty: never."
        ),
    )
    least_share = models.FloatField(
        _("least share of the records"),
        default=0.5,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("A source that shows fewer than this share of the records we have is held for staff."),
    )
    is_paused = models.BooleanField(_("paused"), default=False)

    class Meta:
        verbose_name = _("directory")
        verbose_name_plural = _("directories")
        ordering = ["slug"]
        permissions = [("run_directory", "Can run directories")]

    def __str__(self) -> str:
        return self.name or self.slug

    @property
    def is_generic(self) -> bool:
        """Whether its records go to the table of reference records."""
        return not self.table

    @property
    def adoption_columns(self) -> list[str]:
        """The columns whose values make a local row the same record."""
        return [name.strip() for name in self.adopt_by.split(",") if name.strip()]

    def clean(self) -> None:
        """A parent needs its field, and no directory may be its own ancestor."""
        if self.parent and not self.parent_field:
            raise ValidationError({"parent_field": gettext("Say which field holds the parent's ID.")})
        if self.parent and not (self.parent_column or self.is_generic):
            raise ValidationError({"parent_column": gettext("Say which column points to the parent's row.")})
        if self.pk and in_circle(self, lambda directory: directory.parent):
            raise ValidationError({"parent": gettext("The parents form a circle.")})


class DirectoryField(models.Model):
    """One column and the field of the record that fills it."""

    directory = models.ForeignKey(Directory, models.CASCADE, related_name="fields")
    column = models.CharField(_("column"), max_length=64)
    field = models.CharField(_("field"), max_length=100)
    is_label = models.BooleanField(
        _("as text"), default=False, help_text=_("The choice's text in place of its number.")
    )
    is_required = models.BooleanField(
        _("required"), default=False, help_text=_("A record without it is an error, not a row.")
    )

    class Meta:
        verbose_name = _("field")
        verbose_name_plural = _("fields")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["directory", "column"], name="one_field_a_column")]

    def __str__(self) -> str:
        return f"{self.field} → {self.column}"


COUNTS = ("created", "updated", "unchanged", "adopted", "gone", "errors")


class DirectoryRun(models.Model):
    """One reading of a directory: what came of it. While it is under way its job tells the state."""

    directory = models.ForeignKey(Directory, models.CASCADE, related_name="runs", verbose_name=_("directory"))
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="run", verbose_name=_("job"))
    is_dry_run = models.BooleanField(_("dry run"), default=False)
    is_approved = models.BooleanField(_("approved"), default=False)
    held_why = models.TextField(_("held back because"), blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)
    expected = models.PositiveIntegerField(_("records expected"), null=True)
    read = models.PositiveIntegerField(_("records read"), default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    adopted = models.PositiveIntegerField(_("adopted"), default=0)
    gone = models.PositiveIntegerField(_("gone"), default=0)
    errors = models.PositiveIntegerField(_("errors"), default=0)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("directory run")
        verbose_name_plural = _("directory runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.directory_id}: {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_held(self) -> bool:
        """Whether it waits for staff to say that so few records are right."""
        return bool(self.held_why) and not self.is_approved and self.finished_at is None

    @property
    def counts(self) -> dict[str, int]:
        """The result, by word."""
        return {word: getattr(self, word) for word in COUNTS}

    @property
    def summary(self) -> str:
        """The result in words, without what did not happen."""
        words = {word: self._meta.get_field(word).verbose_name for word in COUNTS}  # type: ignore[union-attr]
        return ", ".join(f"{words[word]}: {count}" for word, count in self.counts.items() if count)

    def approve(self) -> bool:
        """Staff say that so few records are right: read again, then write; False when none waits for it."""
        waiting = DirectoryRun.objects.filter(pk=self.pk, is_approved=False, finished_at=None)
        is_changed = waiting.exclude(held_why="").update(is_approved=True)
        if is_changed:
            Job.objects.filter(run=self).requeue(now=timezone.now())
        return bool(is_changed)

    @classmethod
    def of(cls, jobs: list[Job]) -> dict[int, DirectoryRun]:
        """The run of each job by the job's ID, made where it is missing."""
        runs = {
            run.job_id: run for run in cls.objects.filter(job__in=jobs).select_related("directory__parent")
        }
        for job in jobs:
            directory = Directory.objects.filter(slug=job.source_id).select_related("parent").first()
            if job.pk not in runs and directory is not None:
                is_dry_run = bool(job.params.get("dry_run"))
                runs[job.pk] = cls.objects.create(directory=directory, job=job, is_dry_run=is_dry_run)
        return {job_id: run for job_id, run in runs.items() if job_id is not None}


class DirectoryNote(models.Model):
    """What happened to one record in a run: an error, or what changed. A run keeps the first of them only."""

    run = models.ForeignKey(DirectoryRun, models.CASCADE, related_name="notes")
    btxid = models.CharField(_("record"), max_length=60, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10)
    text = models.TextField(_("what"), blank=True)

    class Meta:
        verbose_name = _("record of a run")
        verbose_name_plural = _("records of a run")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.btxid}: {self.outcome}"


class DirectoryPage(models.Model):
    """Records that were read and are not in their table yet; many small rows, so that memory stays flat."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="directory_pages")
    records = models.JSONField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"page {self.pk} of {self.job_id}"
