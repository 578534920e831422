"""Routes: from which portal to which, what becomes of each field, and how many jobs wait or failed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.labels import badge_of
from sync.admin.mappingform import FORMSETS, MappingForm, MappingFormSet
from sync.admin.pause_actions import PausableScreen
from sync.admin.routeform import RouteForm, form_of
from sync.flows import FLOWS
from sync.flows.contract import Flow
from sync.flows.declarations import OptionGroup
from sync.models import FieldMapping, Job, Route
from sync.queue import wakeup

ENDS = ("name", "slug", "flow", "source", "target", "is_paused")
"""Fields that every route has."""


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


def _mappings_of(flow: Flow) -> tuple[type[_Mappings], ...]:
    """The tables of rows that a route of this flow has."""
    return tuple(
        type(
            "Mappings",
            (_Mappings,),
            {
                "formset": FORMSETS[direction],
                "verbose_name": table.field,
                "verbose_name_plural": table.title,
            },
        )
        for direction, table in flow.mappings.items()
    )


@admin.register(Route)
class RouteAdmin(PausableScreen):
    """One row a route."""

    form = RouteForm
    empty_hint = _(
        "No route yet. Add the two portals first, then the route between them; or import a file: "
        "manage.py import_config."
    )
    actions = ("pause", "resume")
    buttons = ("pause", "resume")
    list_display = ("__str__", "source", "target", "state", "waiting", "failed")
    list_select_related = ("source", "target")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        """Each with its waiting and failed jobs, counted inside one index."""
        routes: QuerySet[Route] = super().get_queryset(request)
        return routes.annotate(
            waiting_jobs=_count(Job.State.WAITING),
            failed_jobs=_count(Job.State.FAILED),
        )

    def get_form(self, request: HttpRequest, obj: Route | None = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """The columns and the options of its flow."""
        return super().get_form(request, obj, **{"form": form_of(_flow_on(request, obj)), **kwargs})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The flows to choose from are those of the registry."""
        if db_field.name == "flow":
            choices = [(name, flow.label) for name, flow in FLOWS.items()]
            return forms.ChoiceField(
                choices=choices, label=capfirst(db_field.verbose_name), initial=db_field.default
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Route | None = None) -> Any:
        """The columns, and the options of its flow by their headings."""
        flow = _flow_on(request, obj)
        ends = [self._shown(request, name, obj) for name in ENDS]
        first: dict[str, Any] = {"fields": (*ends, *(["reconcile_minutes"] if flow.finds_missed else []))}
        if flow.hint:
            first["description"] = flow.hint
        return ((None, first), *((group.title, {"fields": _names(group)}) for group in flow.form))

    def get_inlines(self, request: HttpRequest, obj: Route | None) -> Any:
        """The mappings that its flow has."""
        return _mappings_of(_flow_on(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Route | None = None) -> tuple[str, ...]:
        """The ends stay once deals are mapped: the IDs would belong to other portals' deals."""
        return ("flow_label", *Route.KEPT_ONCE_LINKED) if obj and obj.links.exists() else ("flow_label",)

    def _shown(self, request: HttpRequest, name: str, obj: Route | None) -> str:
        """A flow that nobody may change here is shown by its name."""
        is_kept = obj is not None and (
            not self.has_change_permission(request, obj) or "flow" in self.get_readonly_fields(request, obj)
        )
        return "flow_label" if name == "flow" and is_kept else name

    @admin.display(description=_("flow"))
    def flow_label(self, route: Route) -> str:
        """The name of its flow."""
        return str(FLOWS[route.flow].label)

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


def _flow_on(request: HttpRequest, route: Route | None) -> Flow:
    """The flow whose options a page shows: the route's own, or the one chosen for a new route."""
    if route is not None:
        return FLOWS[route.flow]
    chosen = request.POST.get("flow") or request.GET.get("flow") or ""
    return FLOWS.get(chosen) or FLOWS[Route().flow]


def _names(group: OptionGroup) -> tuple[Any, ...]:
    """The names of a group's fields; those of one line together."""
    lines = (line if isinstance(line, tuple) else (line,) for line in group.lines)
    return tuple(tuple(option.name for option in line) for line in lines)


def _count(state: str) -> Any:
    jobs = Job.objects.filter(route=OuterRef("pk"), state=state).order_by()
    return Coalesce(Subquery(jobs.values("route").annotate(count=Count("pk")).values("count")), 0)


def _jobs_link(route: Route, state: str, count: int) -> SafeString:
    address = reverse("admin:sync_job_changelist")
    return format_html('<a href="{}?route__id__exact={}&state={}">{}</a>', address, route.pk, state, count)


def _wake(route: Route) -> None:
    for portal_id in filter(None, (route.source_id, route.target_id)):
        wakeup.wake(portal_id)
