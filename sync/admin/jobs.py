"""Jobs: which wait, which failed and why; read-only, with Retry and Cancel."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from sync.admin.bulk_actions import BulkResult, change_many
from sync.admin.cards import card_link
from sync.admin.filters import CreatedFilter, FailureFilter, FinishedFilter, StateFilter, StepFilter
from sync.admin.jobpage import job_page_context
from sync.admin.labels import badge, brief, safe_pairs
from sync.admin.moments import ago, exact
from sync.admin.record_search import DealSearch
from sync.admin.related_records import related_records
from sync.admin.screen import MAX_LOGGED, ReadOnly, Screen
from sync.engine.notifications import cancel
from sync.flows import job_kind, step_label
from sync.models import Job, Portal, Route
from sync.queue import wakeup

RETRIABLE = (Job.State.FAILED, Job.State.CANCELLED)
CANCELLABLE = (Job.State.WAITING, Job.State.FAILED)


@admin.register(Job)
class JobAdmin(DealSearch, ReadOnly, Screen):
    """One row a job; the newest first."""

    change_form_template = "admin/sync/job/change_form.html"
    empty_hint = _(
        "No job here. One comes into being when a webhook of a portal was accepted: the address "
        "for webhooks stands on the page of each portal."
    )
    actions = ("retry", "cancel")
    buttons = ("retry", "cancel")
    list_display = ("state_badge", "deals", "reason", "step_text", "due", "since", "route")
    list_select_related = ()  # get_queryset does it; False would join every table that may be joined
    list_display_links = ("state_badge",)
    list_filter = (StateFilter, FailureFilter, "route", "portal", StepFilter, CreatedFilter, FinishedFilter)
    fields = (
        "state_badge", "route", "kind_text", "deals", "step_text", "portal", "created_text", "due_text",
        "finished_text", "attempts", "folded", "params_text",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Jobs; the rows of a page share their routes and portals, so that each secret is decrypted once."""
        routes = Route.objects.select_related("source", "target")
        jobs: QuerySet[Job] = super().get_queryset(request).defer("params", "warning")
        return jobs.prefetch_related(Prefetch("route", queryset=routes))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; a search that finds no job shows what else is known about the record."""
        related = partial(related_records, request.user, request.GET.get(SEARCH_VAR, ""))
        return super().changelist_view(request, {"related_records": related} | (extra_context or {}))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The job's page with its attempts, events and mapping."""
        job = self.get_object(request, object_id)
        extra = job_page_context(job, request) if job and self.has_view_permission(request, job) else {}
        return super().change_view(request, object_id, form_url, extra | (extra_context or {}))

    def is_applicable(self, button: str, record: Job) -> bool:
        """Retry for failed and cancelled jobs, Cancel for waiting and failed ones."""
        states = {"retry": RETRIABLE, "cancel": CANCELLABLE}[button]
        return record.state in states

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether the user may retry jobs; a permission of its own, not part of viewing."""
        return bool(request.user.has_perm("sync.retry_job"))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether the user may cancel jobs."""
        return bool(request.user.has_perm("sync.cancel_job"))

    @admin.action(description=_("Retry"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Queue failed and cancelled jobs again, at the step where they stopped."""
        rows = list(queryset.filter(state__in=RETRIABLE)[: MAX_LOGGED + 1])
        result = change_many(queryset, RETRIABLE, lambda jobs: jobs.requeue(now=timezone.now()))
        for portal_id in Portal.objects.filter(is_paused=False).values_list("pk", flat=True):
            wakeup.wake(portal_id)
        self.log_many(request, rows, gettext("Retry"))
        message = ngettext("%(count)s job is queued again.", "%(count)s jobs are queued again.", result.count)
        self._show_result(request, result, message, gettext("Only failed and cancelled jobs can be retried."))

    @admin.action(description=_("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Cancel waiting and failed jobs; running ones go on."""
        rows = list(queryset.filter(state__in=CANCELLABLE)[: MAX_LOGGED + 1])
        result = change_many(queryset, CANCELLABLE, cancel)
        self.log_many(request, rows, gettext("Cancel"))
        message = ngettext("%(count)s job is cancelled.", "%(count)s jobs are cancelled.", result.count)
        self._show_result(request, result, message, gettext("Only waiting and failed jobs can be cancelled."))

    def _show_result(self, request: HttpRequest, result: BulkResult, message: str, if_none: str) -> None:
        message = message % {"count": result.count}
        if not result.is_all:
            rest = gettext("That is not all: press again for the rest.")
            self.message_user(request, f"{message} {rest}", messages.WARNING)
        elif result.count:
            self.message_user(request, message, messages.SUCCESS)
        else:
            self.message_user(request, if_none, messages.WARNING)

    @admin.display(description=_("state"))
    def state_badge(self, job: Job) -> SafeString:
        """The state; for a failed job also the kind of failure."""
        text = job.get_state_display()
        if job.state == Job.State.FAILED and job.failure:
            text = f"{text}: {job.get_failure_display()}"
        return badge(job.state, text)

    @admin.display(description=_("records"))
    def deals(self, job: Job) -> SafeString:
        """Both records, linked to their cards."""
        kind = job_kind(job.kind)
        if kind.target is None:
            return format_html("{}", job.source_id)
        source = _card(job.route.source, job.source_id, kind.source)
        target = _card(job.route.target, job.target_id, kind.target)
        mark = f"{kind.mark} " if kind.mark else ""
        return format_html('<span class="deals">{}{} {} {}</span>', mark, source, kind.arrow, target)

    @admin.display(description=_("kind"))
    def kind_text(self, job: Job) -> str:
        """The kind of the job in words."""
        return str(job_kind(job.kind).label)

    @admin.display(description=_("step"))
    def step_text(self, job: Job) -> str:
        """The step of the job; nothing for jobs that are done or skipped."""
        return "—" if job.state in (Job.State.DONE, Job.State.SKIPPED) else str(step_label(job.step))

    @admin.display(description=_("since"))
    def since(self, job: Job) -> SafeString | str:
        """How long ago the job was created."""
        return ago(job.created_at)

    @admin.display(description=_("due"))
    def due(self, job: Job) -> SafeString | str:
        """When the job goes on; a due time in the past only means that its turn has not come."""
        if job.state != Job.State.WAITING:
            return "—"
        is_due = job.due_at is not None and job.due_at <= timezone.now()
        return gettext("in its turn") if is_due else ago(job.due_at)

    @admin.display(description=_("reason"))
    def reason(self, job: Job) -> str:
        """Why the job is in its state, shortened."""
        return brief(job.note)

    @admin.display(description=_("created"))
    def created_text(self, job: Job) -> str:
        """When the job was created, exactly."""
        return exact(job.created_at)

    @admin.display(description=_("due"))
    def due_text(self, job: Job) -> str:
        """When the job goes on, exactly."""
        return exact(job.due_at if job.state == Job.State.WAITING else None)

    @admin.display(description=_("finished"))
    def finished_text(self, job: Job) -> str:
        """When the job ended, exactly."""
        return exact(job.finished_at)

    @admin.display(description=_("parameters"))
    def params_text(self, job: Job) -> str:
        """The parameters of the job's webhooks, masked."""
        return "; ".join(f"{name} = {value}" for name, value in safe_pairs(job.params)) or "—"


def _card(portal: Portal | None, record_id: str, entity: str) -> SafeString | str:
    """The record with a link to its card, where it has one."""
    return card_link(portal, record_id, entity=entity) if entity else record_id or "…"
