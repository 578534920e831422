"""Directories: what is read into which table, and what each run changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.labels import badge_of
from sync.admin.moments import ago
from sync.admin.screen import ReadOnly, Screen
from sync.maintenance import directory_runs
from sync.models import Directory, DirectoryField, DirectoryNote, DirectoryRun, Job
from sync.models.directory import COUNTS
from sync.queue import wakeup

NOTES_SHOWN = 200


class DirectoryFieldInline(admin.StackedInline):  # type: ignore[type-arg]
    """The field map. Stacked, not a table: its inputs have labels, and it fits a phone."""

    model = DirectoryField
    fields = (("column", "field", "is_label", "is_required"),)
    extra = 0
    min_num = 1


@admin.register(Directory)
class DirectoryAdmin(Screen):
    """One row a directory."""

    inlines = (DirectoryFieldInline,)
    actions = ("read_now", "rehearse")
    buttons = ("read_now", "rehearse")
    list_display = ("__str__", "route", "method", "parent", "is_paused", "last_read", "runs_link")
    list_select_related = ("route", "parent")
    empty_hint = _(
        "No directory yet. Import the five of examples/directories.yaml by manage.py import_config, "
        "or add one here."
    )
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "slug", "is_paused")}),
        (_("Where the records come from"), {"fields": ("route", "method", "params", "key")}),
        (
            _("Where they go"),
            {"fields": ("table", "key_column", "gone_column", "adopt_by", "least_share")},
        ),
        (_("Parent"), {"fields": ("parent", "parent_field", "parent_column")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Directory | None = None) -> bool:
        """Only a directory that was never read: deleting it would delete its runs. Others can be paused."""
        if obj is None or obj.runs.exists() or obj.children.exists():
            return False
        return super().has_delete_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Directory]:
        """Directories, each with the end of its last run."""
        runs = DirectoryRun.objects.filter(
            directory=OuterRef("pk"), finished_at__isnull=False, is_dry_run=False
        )
        rows: QuerySet[Directory] = super().get_queryset(request)
        return rows.annotate(read_at=Subquery(runs.order_by("-pk").values("finished_at")[:1]))

    def get_readonly_fields(self, request: HttpRequest, obj: Directory | None = None) -> tuple[str, ...]:
        """The slug, once the directory was read: jobs and the reference table contain it."""
        return ("slug",) if obj and obj.runs.exists() else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Directory | None = None) -> dict[str, Any]:
        """The slug follows the name only while the directory is new."""
        return {} if obj else {"slug": ("name",)}

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Whether the user may start a run."""
        return request.user.has_perm("sync.run_directory")

    @admin.action(description=_("Read now"), permissions=["run"])
    def read_now(self, request: HttpRequest, queryset: QuerySet[Directory]) -> None:
        """Queue a run of each directory; one that is already running is not started twice."""
        self._start(request, queryset, is_dry_run=False)

    @admin.action(description=_("Dry run: only show the differences"), permissions=["run"])
    def rehearse(self, request: HttpRequest, queryset: QuerySet[Directory]) -> None:
        """Queue a run of each directory that writes nothing."""
        self._start(request, queryset, is_dry_run=True)

    def _start(self, request: HttpRequest, rows: QuerySet[Directory], *, is_dry_run: bool) -> None:
        chosen = list(rows.select_related("route", "parent"))
        if directory_runs.open_jobs(chosen):
            self.message_user(request, gettext("They are being read just now."), messages.WARNING)
            return
        directory_runs.refresh(chosen, is_dry_run=is_dry_run)
        self.log_many(request, chosen, gettext("Read now"))
        self.message_user(request, gettext("The workers read them now; see the runs."), messages.SUCCESS)

    @admin.display(description=_("read"))
    def last_read(self, directory: Directory) -> SafeString | str:
        """When the directory's last run ended."""
        return ago(getattr(directory, "read_at", None))

    @admin.display(description=_("runs"))
    def runs_link(self, directory: Directory) -> SafeString:
        """A link to the directory's runs."""
        address = reverse("admin:sync_directoryrun_changelist")
        return format_html(
            '<a href="{}?directory__id__exact={}">{}</a>', address, directory.pk, gettext("runs")
        )


class DirectoryNoteInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """What happened to each record of a run."""

    model = DirectoryNote
    fields = readonly_fields = ("btxid", "outcome", "text")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DirectoryNote]:
        """The first notes of the run."""
        rows: QuerySet[DirectoryNote] = super().get_queryset(request)
        first = (
            rows.filter(run=request.resolver_match.kwargs["object_id"]) if request.resolver_match else rows
        )
        return rows.filter(pk__in=list(first.order_by("pk").values_list("pk", flat=True)[:NOTES_SHOWN]))


@admin.register(DirectoryRun)
class DirectoryRunAdmin(ReadOnly, Screen):
    """One row a run, the newest first."""

    inlines = (DirectoryNoteInline,)
    actions = ("approve",)
    buttons = ("approve",)
    list_display = ("directory", "started", "state", *COUNTS, "is_dry_run")
    list_filter = ("directory", "is_dry_run")
    empty_hint = _("No directory has been read yet: press “Read now” on its page, or wait for the schedule.")
    list_select_related = ("directory", "job")
    fields = (
        "directory", "state", "started_at", "finished_at", "is_dry_run", "read", *COUNTS, "why", "job_link",
    )  # fmt: skip
    readonly_fields = fields

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """Whether the user may apply a run that was held back."""
        return request.user.has_perm("sync.run_directory")

    def is_applicable(self, button: str, record: Any) -> bool:
        """Only a run that is held back can be applied."""
        return bool(record.is_held)

    @admin.action(description=_("Apply all the same"), permissions=["approve"])
    def approve(self, request: HttpRequest, queryset: QuerySet[DirectoryRun]) -> None:
        """Accept that so few records came: read again, and mark the missing ones as gone."""
        held = list(queryset.select_related("job"))
        done = [run for run in held if run.approve()]
        for run in done:
            if run.job:
                wakeup.wake(run.job.portal_id)
        self.log_many(request, done, gettext("Apply all the same"))
        message = (
            gettext("It is read again and then applied.") if done else gettext("Nothing is held back here.")
        )
        self.message_user(request, message, messages.SUCCESS if done else messages.WARNING)

    @admin.display(description=_("started"))
    def started(self, run: DirectoryRun) -> SafeString | str:
        """When the run began."""
        return ago(run.started_at)

    @admin.display(description=_("state"))
    def state(self, run: DirectoryRun) -> SafeString:
        """Done, held back for staff, or else the state of its job."""
        if run.finished_at:
            return badge_of("good", gettext("done"))
        if run.is_held:
            return badge_of("bad", gettext("held back"))
        is_failed = run.job is None or run.job.state == Job.State.FAILED
        return badge_of("bad" if is_failed else "run", run.job.get_state_display() if run.job else "—")

    @admin.display(description=_("note"))
    def why(self, run: DirectoryRun) -> str:
        """The note of the run, or of its job while that is open."""
        return run.note or ("" if run.finished_at or run.job is None else run.job.note) or "—"

    @admin.display(description=_("job"))
    def job_link(self, run: DirectoryRun) -> SafeString | str:
        """A link to the run's job."""
        if run.job is None:
            return "—"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:sync_job_change", args=[run.job_id]), run.job
        )
