"""Users of the API and their leads; read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.cards import card_link
from sync.admin.labels import badge_of, brief, safe
from sync.admin.moments import ago, exact
from sync.admin.screen import ReadOnly, Screen
from sync.flows.leads import NAME as LEADS
from sync.messaging import users
from sync.models import CoreUser, Route

TONES = {
    CoreUser.LeadState.WAITING: "wait",
    CoreUser.LeadState.LINKED: "good",
    CoreUser.LeadState.FAILED: "bad",
}
SHOWN_AT_THE_END = 2


@admin.register(CoreUser)
class CoreUserAdmin(ReadOnly, Screen):
    """One row a user; the newest first."""

    list_display = ("who", "masked_phone", "stage", "state", "bitrix_lead_id", "reason", "changed")
    list_display_links = ("who",)
    empty_hint = _("No user yet. They come by the API (POST /users) from a program that has an API key.")
    list_filter = ("lead_state",)
    search_fields = ("full_name",)  # only to have a search box
    search_help_text = _("Part of a name, an ID, or the beginning of a phone number.")
    fields = (
        "id", "full_name", "masked_phone", "stage", "state", "lead_card", "why", "replied_text", "jobs_link",
        "created_text", "changed_text",
    )  # fmt: skip
    readonly_fields = fields

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one user; Django's own title has the wrong grammatical case in Russian."""
        title = capfirst(self.opts.verbose_name)
        return super().change_view(request, object_id, form_url, {"title": title, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CoreUser], search_term: str
    ) -> tuple[QuerySet[CoreUser], bool]:
        """Search as the API does."""
        term = search_term.strip()
        return (users.search(queryset, term) if term else queryset), False

    @admin.display(description=_("user"))
    def who(self, user: CoreUser) -> str:
        """ID and name."""
        return str(user)

    @admin.display(description=_("phone"))
    def masked_phone(self, user: CoreUser) -> str:
        """Enough to recognise it, too little to call it."""
        hidden = max(0, len(user.phone) - 5 - SHOWN_AT_THE_END)
        return f"{user.phone[:5]}{'•' * hidden}{user.phone[-SHOWN_AT_THE_END:]}"

    @admin.display(description=_("lead"))
    def state(self, user: CoreUser) -> SafeString:
        """The state of the user's lead."""
        return badge_of(TONES[CoreUser.LeadState(user.lead_state)], user.get_lead_state_display())

    @admin.display(description=_("why"))
    def reason(self, user: CoreUser) -> str:
        """Why the lead failed, in short."""
        return brief(user.lead_reason)

    @admin.display(description=_("why"))
    def why(self, user: CoreUser) -> str:
        """Why the lead failed."""
        return safe(user.lead_reason) or "—"

    @admin.display(description=_("lead in Bitrix24"))
    def lead_card(self, user: CoreUser) -> Any:
        """The lead's card, when we know at which portal it is."""
        if user.bitrix_lead_id is None:
            return "—"
        route = _only_route()
        return card_link(route.target if route else None, str(user.bitrix_lead_id), entity="lead")

    @admin.display(description=_("jobs"))
    def jobs_link(self, user: CoreUser) -> SafeString:
        """To the jobs about its lead."""
        address = f"{reverse('admin:sync_job_changelist')}?state=all&q={user.pk}"
        route = _only_route()
        if route:
            address += f"&route__id__exact={route.pk}"
        return format_html('<a href="{}">{}</a>', address, gettext("jobs about the lead"))

    @admin.display(description=_("changed"))
    def changed(self, user: CoreUser) -> SafeString | str:
        """How long ago a caller changed it."""
        return ago(user.updated_at)

    @admin.display(description=_("last reply"))
    def replied_text(self, user: CoreUser) -> str:
        """When the last reply of the bitrix role came, exactly."""
        return exact(user.replied_at)

    @admin.display(description=_("created"))
    def created_text(self, user: CoreUser) -> str:
        """When the user was created, exactly."""
        return exact(user.created_at)

    @admin.display(description=_("changed"))
    def changed_text(self, user: CoreUser) -> str:
        """When a caller changed it, exactly."""
        return exact(user.updated_at)


def _only_route() -> Route | None:
    """The route of leads; None when there are several, and a lead may be at any of their ends."""
    routes = list(Route.objects.select_related("target").filter(flow=LEADS)[:2])
    return routes[0] if len(routes) == 1 else None
