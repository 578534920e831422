"""Filters of the lists, each built so that an index answers it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.admin.moments import rows_since
from sync.flows import FLOWS, step_label
from sync.models import Event, Job, Portal, Route

Choices = Iterable[tuple[str, Any]]

SAMPLE = 500
"""Events looked at to learn how common an outcome is."""

COMMON = 0.05

COMMON_STATES = (Job.State.DONE, Job.State.SKIPPED)
"""Where jobs gather; those of other states are few, or soon will be."""

PERIODS: dict[str, tuple[Any, timedelta]] = {
    "hour": (_("Last hour"), timedelta(hours=1)),
    "day": (_("Last 24 hours"), timedelta(days=1)),
    "week": (_("Last 7 days"), timedelta(days=7)),
    "month": (_("Last 30 days"), timedelta(days=30)),
}


class StateFilter(admin.SimpleListFilter):
    """Jobs in one state; of its own accord all but those that had nothing to do, mostly echoes of our writes.

    Whoever searches for a deal sees them too: there, that nothing was to do is an answer.
    """

    title = _("state")
    parameter_name = "state"
    WORK, ALL = "work", "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """All jobs but those without work, all jobs, or those of one state."""
        most = _("All but “%(state)s”") % {"state": Job.State.SKIPPED.label}
        return [(self.WORK, most), (self.ALL, _("All")), *Job.State.choices]

    def choices(self, changelist: Any) -> Any:
        """A link for each, the default's too; Django's own "All" is one of ours."""
        _without, *links = super().choices(changelist)
        for link, (word, _label) in zip(links, self.lookup_choices, strict=True):
            yield {**link, "selected": word == self._chosen}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Jobs in the chosen state."""
        if self._chosen == self.ALL:
            return queryset
        if self._chosen == self.WORK:
            is_failed = request.GET.get(FailureFilter.parameter_name) in Job.Failure.values
            return queryset if is_failed else with_work(queryset)
        is_common = self._chosen in COMMON_STATES
        if is_common and request.GET.get(FinishedFilter.parameter_name) in PERIODS:
            return past_index(queryset, "state", self._chosen)  # the index over the time delivers them
        if is_common or request.GET.get(CreatedFilter.parameter_name) in PERIODS:
            return newest_in_state(queryset, self._chosen)
        return by_sorting(queryset.filter(state=self._chosen))

    @property
    def _chosen(self) -> str:
        """The word in the address; any other counts as none."""
        if self.value() in (self.WORK, self.ALL, *Job.State.values):
            return str(self.value())
        return self.ALL if self.request.GET.get(SEARCH_VAR, "").strip() else self.WORK


def with_work(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Jobs that had something to do, the newest first along the primary key.

    No index of its own: none delivers five states in one order. Mostly a page takes a few milliseconds; if
    of a million jobs only three in a thousand had work, a tenth of a second.
    """
    return jobs.exclude(state=Job.State.SKIPPED)


def newest_in_state(jobs: QuerySet[Job], state: str) -> QuerySet[Job]:
    """Jobs in a state that many have. Only running jobs have a lease: saying so lets the index over state and
    lease deliver the newest first, and end at an ID, so that a page out of a million jobs needs no sorting.
    """
    return jobs.filter(state=state, lease_until__isnull=state != Job.State.RUNNING)


def by_sorting(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The newest first, out of few that an index finds: nothing delivers this order, so that SQLite does not
    walk a million rows in the order of their IDs to find those few.
    """
    found: QuerySet[Any] = rows.order_by((F("pk") + 0).desc())
    return found


def past_index(rows: QuerySet[Any], column: str, value: str) -> QuerySet[Any]:
    """Rows with a value that most have: no index over the column is used."""
    found: QuerySet[Any] = rows.alias(past_index=Concat(column, Value(""))).filter(past_index=value)
    return found


class FailureFilter(admin.SimpleListFilter):
    """Failed jobs by who acts."""

    title = _("failure")
    parameter_name = "failure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The failure words."""
        return Job.Failure.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Failed jobs with the chosen word."""
        if self.value() not in Job.Failure.values:
            return queryset
        return by_sorting(queryset.filter(failure=self.value()))  # only failed jobs have one


class StepFilter(admin.SimpleListFilter):
    """Where jobs stand that are not done: the step of a done job says nothing."""

    title = _("step")
    parameter_name = "step"
    template = "admin/sync/closed_filter.html"  # forty lines that are seldom needed

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Every step of the flows that routes have; those with the same words are one."""
        in_use = set(Route.objects.values_list("flow", flat=True))
        steps = {_label(step): step for step in reversed(_steps(in_use))}
        return [(step, words) for words, step in reversed(steps.items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Open and failed jobs at the chosen step."""
        if not self.value():
            return queryset
        # naming all portals and routes costs nothing and lets the index of the scheduler find the step
        portals, routes = (list(model.objects.values_list("pk", flat=True)) for model in (Portal, Route))
        alike = [step for step in _steps(FLOWS) if _label(step) == _label(str(self.value()))]
        here = queryset.filter(state__in=(*Job.OPEN, Job.State.FAILED), step__in=alike)
        return by_sorting(here.filter(portal__in=portals, route__in=routes))


def _label(step: str) -> str:
    return str(step_label(step))


def _steps(flows: Iterable[str]) -> list[str]:
    return [step for name, flow in FLOWS.items() if name in flows for step in flow.steps]


class PeriodFilter(admin.SimpleListFilter):
    """Rows of the last hour, day, week, month, by a column that grows with the ID."""

    column = "created_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The periods."""
        return [(word, label) for word, (label, _length) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows not older than the chosen period."""
        if self.value() not in PERIODS:
            return queryset
        return self.since(queryset, timezone.now() - PERIODS[str(self.value())][1])

    def since(self, rows: QuerySet[Any], moment: Any) -> QuerySet[Any]:
        """Rows from `moment` on."""
        return rows_since(rows, self.column, moment)


class CreatedFilter(PeriodFilter):
    """By when the row came into being."""

    title = _("created")
    parameter_name = "created"


class ReceivedFilter(PeriodFilter):
    """By when the webhook came."""

    title = _("received")
    parameter_name = "received"
    column = "received_at"


class FinishedFilter(PeriodFilter):
    """By when the job ended, which has its own index."""

    title = _("finished")
    parameter_name = "finished"

    def since(self, rows: QuerySet[Any], moment: Any) -> QuerySet[Any]:
        """Jobs that ended since `moment`, the last one first, so that the index delivers them in order."""
        return rows.filter(finished_at__gte=moment).order_by("-finished_at")


class OutcomeFilter(admin.SimpleListFilter):
    """Events by what became of them.

    The index over outcomes serves the sorting of new events; it delivers no order by ID. So an outcome that
    most events have is looked for from the newest event backwards, and only a rare one in the index.
    """

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """All outcomes."""
        return Event.Outcome.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Events with the chosen outcome."""
        if self.value() not in Event.Outcome.values:
            return queryset
        newest = list(Event.objects.order_by("-id").values_list("outcome", flat=True)[:SAMPLE])
        if newest.count(str(self.value())) < len(newest) * COMMON:
            return by_sorting(queryset.filter(outcome=self.value()))
        return past_index(queryset, "outcome", str(self.value()))
