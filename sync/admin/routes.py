"""Routes: from which portal to which, what becomes of each field, and how many jobs wait or failed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.labels import badge_of
from sync.admin.mappingform import BackFormSet, ForwardFormSet, MappingForm, MappingFormSet
from sync.admin.pause_actions import PausableScreen
from sync.admin.routeform import RouteForm
from sync.models import FieldMapping, Job, Route
from sync.queue import wakeup

ENDS = ("name", "slug", "flow", "source", "target", "is_paused")
"""Fields that every route has."""

USUAL_FIELDS = _(
    "Without a mapping a lead gets NAME from full_name, PHONE from phone and STATUS_ID from stage. A row for "
    "one of these fields takes its place; other fields may be added. A request brings the parameters id, "
    "full_name, phone and stage."
)


class _Mappings(admin.StackedInline):  # type: ignore[type-arg]
    """The rows of one direction."""

    formset: type[MappingFormSet]
    model = FieldMapping
    form = MappingForm
    extra = 0
    fields = (
        ("to", "origin", "source", "position"),
        ("fallback", "default", "when", "value_list", "otherwise"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[FieldMapping]:
        """With their value lists, read at once."""
        rows: QuerySet[FieldMapping] = super().get_queryset(request)
        return rows.filter(direction=self.formset.direction).prefetch_related("values")


class ForwardMappings(_Mappings):
    """What is written to the target."""

    formset: type[MappingFormSet] = ForwardFormSet
    verbose_name = _("field of the target's deal")
    verbose_name_plural = _("Field mapping: source → target")


class BackMappings(_Mappings):
    """What is written back to the source."""

    formset: type[MappingFormSet] = BackFormSet
    verbose_name = _("field of the source's deal")
    verbose_name_plural = _("Field mapping: target → source")


class LeadMappings(ForwardMappings):
    """What is written to the lead."""

    verbose_name = _("field of the lead")
    verbose_name_plural = _("Field mapping: user → lead")


@admin.register(Route)
class RouteAdmin(PausableScreen):
    """One row a route."""

    form = RouteForm
    empty_hint = _(
        "No route yet. Add the two portals first, then the route between them; or import a file: "
        "manage.py import_config."
    )
    inlines = (ForwardMappings, BackMappings)
    actions = ("pause", "resume")
    buttons = ("pause", "resume")
    list_display = ("__str__", "source", "target", "state", "waiting", "failed")
    list_select_related = ("source", "target")
    fieldsets = (
        (None, {"fields": (*ENDS, "reconcile_minutes")}),
        (_("When the deal has arrived"), {"fields": ("comment", "stage")}),
        (
            _("What travels with a deal"),
            {
                "fields": (
                    ("carry_contacts", "carry_companies", "carry_products", "carry_files"),
                    "carry_comments",
                )
            },
        ),
        (_("So that nothing is missed or doubled"), {"fields": ("reconcile", "look_first")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        """Each with its waiting and failed jobs, counted inside one index."""
        routes: QuerySet[Route] = super().get_queryset(request)
        return routes.annotate(
            waiting_jobs=_count(Job.State.WAITING),
            failed_jobs=_count(Job.State.FAILED),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Route | None = None) -> Any:
        """What a route of deals can be told, only for a route of deals."""
        whole = super().get_fieldsets(request, obj)
        if obj is not None and obj.flow == Route.Flow.LEADS:
            return ((None, {"fields": ENDS, "description": USUAL_FIELDS}),)
        return whole if _carries_deals(obj) else whole[:1]

    def get_inlines(self, request: HttpRequest, obj: Route | None) -> Any:
        """Mappings, only where deals or leads are carried."""
        if obj is not None and obj.flow == Route.Flow.LEADS:
            return (LeadMappings,)
        return super().get_inlines(request, obj) if _carries_deals(obj) else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Route | None = None) -> tuple[str, ...]:
        """The ends stay once deals are mapped: the IDs would belong to other portals' deals."""
        return ("flow", "source", "target") if obj and obj.links.exists() else ()

    def has_delete_permission(self, request: HttpRequest, obj: Route | None = None) -> bool:
        """Only one without history: deleting would take all its jobs and deal mappings along."""
        if obj is None or obj.jobs.exists() or obj.links.exists():
            return False
        return super().has_delete_permission(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """After the mappings are stored, somebody looks at both ends: the route may have been resumed."""
        super().save_related(request, form, formsets, change)
        _wake(form.instance)

    def wake(self, record: Any) -> None:
        """What has gathered goes out."""
        _wake(record)

    @admin.display(description=_("state"))
    def state(self, route: Route) -> SafeString:
        """Whether it carries anything."""
        return badge_of("quiet", gettext("paused")) if route.is_paused else badge_of("good", gettext("works"))

    @admin.display(description=_("waiting"))
    def waiting(self, route: Route) -> SafeString:
        """Its waiting jobs."""
        return _jobs_link(route, Job.State.WAITING, getattr(route, "waiting_jobs", 0))

    @admin.display(description=_("failed"))
    def failed(self, route: Route) -> SafeString:
        """Its failed jobs."""
        return _jobs_link(route, Job.State.FAILED, getattr(route, "failed_jobs", 0))


def _carries_deals(route: Route | None) -> bool:
    return route is None or route.flow == Route.Flow.DEALS


def _count(state: str) -> Any:
    jobs = Job.objects.filter(route=OuterRef("pk"), state=state).order_by()
    return Coalesce(Subquery(jobs.values("route").annotate(count=Count("pk")).values("count")), 0)


def _jobs_link(route: Route, state: str, count: int) -> SafeString:
    address = reverse("admin:sync_job_changelist")
    return format_html('<a href="{}?route__id__exact={}&state={}">{}</a>', address, route.pk, state, count)


def _wake(route: Route) -> None:
    for portal_id in filter(None, (route.source_id, route.target_id)):
        wakeup.wake(portal_id)
