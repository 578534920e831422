"""Events: the webhooks that portals sent, and the outcome of each; read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from sync.admin.cards import card_link, portals_at, read_id
from sync.admin.filters import OutcomeFilter, ReceivedFilter
from sync.admin.labels import action_label, badge, entity_label, safe, safe_pairs
from sync.admin.moments import ago, exact
from sync.admin.screen import ReadOnly, Screen
from sync.models import Event, Job

MAX_JOBS = 20


@admin.register(Event)
class EventAdmin(ReadOnly, Screen):
    """One row a webhook; the newest first."""

    list_display = ("record", "portal", "happened", "outcome_badge", "why", "received", "repeats")
    list_display_links = ("record",)
    empty_hint = _(
        "No webhook has been accepted yet. The address for them stands on the page of each "
        "portal; refused ones stand in the log of the service."
    )
    list_filter = (OutcomeFilter, "portal", ReceivedFilter)
    list_select_related = ()  # a join lets MariaDB begin at the few portals and sort every event
    search_fields = ("record_id",)
    search_help_text = _("The ID of a deal or user, or the address of a card.")
    fields = (
        "portal", "record", "card", "happened", "outcome_badge", "why", "repeats", "received_text",
        "remote_addr", "params_text", "details_text", "jobs_text",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Events without the columns that only the page of one event shows."""
        events: QuerySet[Event] = super().get_queryset(request).defer("params", "details")
        return events.prefetch_related("portal")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one event; its subtitle names the record in the reader's language."""
        event = self.get_object(request, object_id)
        words = {"subtitle": f"{self.record(event)}, {event.portal}"} if event else {}
        return super().change_view(request, object_id, form_url, words | (extra_context or {}))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """Events about exactly that record."""
        if not search_term.strip():
            return queryset, False
        number = read_id(search_term)
        if number is None:
            return queryset.none(), False
        found = queryset.filter(record_id=number.deal_id)
        return (found.filter(portal__in=portals_at(number.host)) if number.host else found), False

    @admin.display(description=_("record"))
    def record(self, event: Event) -> str:
        """The record that the event is about."""
        return f"{entity_label(event.entity)} {event.record_id}"

    @admin.display(description=_("card"))
    def card(self, event: Event) -> SafeString | str:
        """A link to the record's card at the portal that sent the event."""
        return card_link(event.portal, event.own_id or event.record_id) if event.entity == "deal" else "—"

    @admin.display(description=_("what happened"))
    def happened(self, event: Event) -> str:
        """Created, changed, deleted, or a robot's signal."""
        return action_label(event.action)

    @admin.display(description=_("outcome"))
    def outcome_badge(self, event: Event) -> SafeString:
        """The outcome of the event."""
        return badge(event.outcome, event.get_outcome_display())

    @admin.display(description=_("why"))
    def why(self, event: Event) -> str:
        """Why the event made no job."""
        return safe(event.note) or "—"

    @admin.display(description=_("received"))
    def received(self, event: Event) -> SafeString | str:
        """How long ago the event was received."""
        return ago(event.received_at)

    @admin.display(description=_("received"))
    def received_text(self, event: Event) -> str:
        """When the event was received, exactly."""
        return exact(event.received_at)

    @admin.display(description=_("parameters"))
    def params_text(self, event: Event) -> SafeString | str:
        """The parameters that mappings may use, masked."""
        return _table(event.params)

    @admin.display(description=_("details"))
    def details_text(self, event: Event) -> SafeString | str:
        """Everything else in the webhook, masked."""
        return _table(event.details)

    @admin.display(description=_("jobs of this record"))
    def jobs_text(self, event: Event) -> SafeString | str:
        """The jobs about the same record, the newest first."""
        jobs = (
            Job.objects.filter(source_id=event.record_id)
            .filter(_of_portal(event))
            .select_related("route")
            .order_by("source_id", "-id")[:MAX_JOBS]
        )
        rows = [
            (reverse("admin:sync_job_change", args=[job.pk]), job.pk, job.route, job.get_state_display())
            for job in jobs
        ]
        links = format_html_join("", '<li><a href="{}">№{}</a> {}: {}</li>', rows)
        return format_html('<ul class="plain">{}</ul>', links) if rows else str(_("none"))


def _of_portal(event: Event) -> Any:
    return Q(route__source=event.portal_id) | Q(route__target=event.portal_id)


def _table(tree: Any) -> SafeString | str:
    rows = format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td></tr>", safe_pairs(tree))
    return format_html('<table class="pairs">{}</table>', rows) if rows else "—"
