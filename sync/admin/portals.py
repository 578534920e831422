"""Portals: their secrets, how fast we may call them, and their state."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from sync.admin.cards import host_of
from sync.admin.labels import badge_of, safe
from sync.admin.next_step import portal_state
from sync.admin.pause_actions import PausableScreen
from sync.admin.portalform import SECRETS, PortalForm
from sync.connectors import CONNECTORS, introspection_of, is_called, open_client
from sync.connectors.types import Profile
from sync.errors import SyncError
from sync.gateway.clients import access_to
from sync.models import Job, Pace, Portal
from sync.queue import wakeup

CHECK_SECONDS = 10.0
"""Seconds that "check now" waits for an answer."""


@admin.register(Portal)
class PortalAdmin(PausableScreen):
    """One row a portal."""

    form = PortalForm
    empty_hint = _(
        "No portal yet. Make an incoming webhook in Bitrix24 (rights crm and disk), then add the "
        "portal here with the webhook's address."
    )
    change_form_template = "admin/sync/portal/change_form.html"
    actions = ("pause", "resume", "check_now")
    buttons = ("check_now", "pause", "resume")
    list_display = ("__str__", "host", "state", "each_minute", "waiting")
    list_select_related = ("pace",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "kind", "is_paused")}),
        (_("Secrets"), {"fields": SECRETS}),
        (_("How fast we may call it"), {"fields": ("requests_per_minute", "burst", "slots")}),
        (
            _("The vendor's limits"),
            {"fields": ("bucket_size", "bucket_leak", "request_seconds"), "classes": ("collapse",)},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Portal]:
        """Portals, each with the number of its waiting jobs, counted inside one index."""
        waiting = Job.objects.filter(portal=OuterRef("pk"), state=Job.State.WAITING).order_by()
        counted = waiting.values("portal").annotate(count=Count("pk")).values("count")
        portals: QuerySet[Portal] = super().get_queryset(request)
        return portals.annotate(waiting_jobs=Coalesce(Subquery(counted), 0))

    def get_fieldsets(self, request: HttpRequest, obj: Portal | None = None) -> Any:
        """All fields; of a portal that is never called only the names (its route can be paused)."""
        if obj is None:
            return super().get_fieldsets(request, obj)
        names = (None, {"fields": ("name", "slug", "kind_label", "is_paused")})
        if is_called(obj.kind):
            return (names, *super().get_fieldsets(request, obj)[1:])
        return ((None, {"fields": ("name", "slug", "kind_label")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Portal | None = None) -> tuple[str, ...]:
        """The kind of an existing portal: its routes are made for it."""
        return ("kind_label",) if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The systems to choose from are those of the registry."""
        if db_field.name == "kind":
            choices = [(kind, gettext(connector.label)) for kind, connector in CONNECTORS.items()]
            return forms.ChoiceField(
                choices=choices, label=capfirst(db_field.verbose_name), initial=db_field.default
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("system"))
    def kind_label(self, portal: Portal) -> str:
        """The system it is in."""
        return gettext(CONNECTORS[portal.kind].label)

    def is_applicable(self, button: str, record: Portal) -> bool:
        """A portal that is never called can be neither checked nor paused."""
        return is_called(record.kind) and super().is_applicable(button, record)

    @method_decorator(sensitive_post_parameters(*SECRETS))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; its secrets stay out of error reports."""
        return super().changeform_view(request, *args, **kwargs)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The portal's page with its state and the address for its webhooks."""
        portal = self.get_object(request, object_id)
        state = _page_context(portal, request) if portal and self.has_view_permission(request, portal) else {}
        return super().change_view(request, object_id, form_url, state | (extra_context or {}))

    def has_delete_permission(self, request: HttpRequest, obj: Portal | None = None) -> bool:
        """Only a portal without events and jobs: deleting it would delete its history."""
        if obj is None or obj.events.exists() or obj.jobs.exists():
            return False
        return super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Portal, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save the portal and queue a wake-up: it may have been resumed or have a new address."""
        super().save_model(request, obj, form, change)
        if "webhook_url" in form.changed_data:
            Pace.of(obj).passed_one()  # the failures were those of the old address
        wakeup.wake(obj.pk)

    def wake(self, record: Any) -> None:
        """Queue a wake-up for the portal."""
        wakeup.wake(record.pk)

    @admin.action(description=_("Check now"), permissions=["change"])
    def check_now(self, request: HttpRequest, queryset: QuerySet[Portal]) -> None:
        """Call each portal once, with a harmless request and within its limit."""
        for portal in queryset.filter(kind__in=filter(is_called, CONNECTORS)):
            is_fine, text = check_portal(portal)
            level = messages.SUCCESS if is_fine else messages.ERROR
            self.message_user(request, f"{portal}: {text}", level)

    @admin.display(description=_("host"))
    def host(self, portal: Portal) -> str:
        """The host of the portal; the rest of the address is secret."""
        return host_of(portal) or "—"

    @admin.display(description=_("state"))
    def state(self, portal: Portal) -> SafeString:
        """The state of the portal, in words."""
        return badge_of(*portal_state(portal, getattr(portal, "pace", None)))

    @admin.display(description=_("requests a minute"))
    def each_minute(self, portal: Portal) -> str:
        """How fast we may call it."""
        return str(portal.requests_per_minute) if is_called(portal.kind) else "—"

    @admin.display(description=_("waiting jobs"))
    def waiting(self, portal: Portal) -> SafeString:
        """How many jobs wait for the portal."""
        count = getattr(portal, "waiting_jobs", 0)
        address = reverse("admin:sync_job_changelist")
        return format_html(
            '<a href="{}?portal__id__exact={}&state=waiting">{}</a>', address, portal.pk, count
        )


def check_portal(portal: Portal) -> tuple[bool, str]:
    """Whether the portal answers, and a sentence about it. An answer closes its breaker at once."""
    pace = Pace.of(portal)
    if not pace.take_one(portal.limits, now=time.time()):
        busy = gettext("its requests are used up just now, try again in %(seconds)s s.")
        return True, busy % {"seconds": int(portal.limits.interval) + 1}
    began = time.monotonic()
    try:
        profile = _profile(portal)
    except SyncError as error:
        return False, safe(error.message)
    pace.passed_one()
    wakeup.wake(portal.pk)
    text = gettext("answers in %(seconds).1f s; the webhook belongs to user %(name)s%(role)s.")
    role = gettext(" (administrator)") if profile.is_admin else ""
    name = profile.name or f"№{profile.user_id}"
    return True, text % {"seconds": time.monotonic() - began, "name": name, "role": role}


def _profile(portal: Portal) -> Profile:
    """The user as whom we call the portal."""
    introspection = introspection_of(portal.kind)
    client = open_client(portal.kind, replace(access_to(portal), read_timeout=CHECK_SECONDS))
    answer = client.execute({"profile": introspection.profile}).answers["profile"]
    return introspection.read_profile(answer.result())


def _page_context(portal: Portal, request: HttpRequest) -> dict[str, Any]:
    pace = Pace.objects.filter(pk=portal.pk).first()
    return {
        "portal_state": badge_of(*portal_state(portal, pace)),
        "trouble": safe(pace.trouble) if pace else "",
        "waiting_jobs": getattr(portal, "waiting_jobs", 0),
        "inbound_address": request.build_absolute_uri(reverse("inbound", args=[portal.slug])),
        "has_token": bool(portal.inbound_token),
        "is_called": is_called(portal.kind),
        "portal_id": portal.pk,
    }
