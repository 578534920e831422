"""The queue on the first page: the open and failed jobs of each route, and when they will be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from sync.admin.labels import safe
from sync.models import Job, Route
from sync.status import RouteStatus, duration, queue_status
from sync.status.forecast import Forecast

COUNTED = (Job.State.WAITING, Job.State.RUNNING, Job.State.FAILED)
"""States that are counted; ended jobs are not, as their number only grows."""


@dataclass(frozen=True)
class QueueRow:
    """One route: its counts, the address of the list of its jobs, and its forecast in words."""

    name: str
    waiting: int
    running: int
    failed: int
    address: str
    through: str


def queue_table(user: Any) -> list[QueueRow] | None:
    """A row a route; None when `user` may not see jobs."""
    if not user.has_perm("sync.view_job"):
        return None
    routes = {route.slug: route for route in Route.objects.only("slug", "name")}
    statuses = queue_status(COUNTED).routes
    return [_row(status, routes[status.slug]) for status in statuses if status.slug in routes]


def _row(status: RouteStatus, route: Route) -> QueueRow:
    jobs = status.counts.jobs
    return QueueRow(
        name=str(route),
        waiting=jobs[Job.State.WAITING],
        running=jobs[Job.State.RUNNING],
        failed=jobs[Job.State.FAILED],
        address=f"{reverse('admin:sync_job_changelist')}?route__id__exact={route.pk}",
        through=_through(status.forecast),
    )


def _through(forecast: Forecast) -> str:
    if forecast.seconds is None:
        return safe(forecast.reason)
    return _("in %(time)s") % {"time": duration(forecast.seconds)} if forecast.seconds else _("nothing waits")
