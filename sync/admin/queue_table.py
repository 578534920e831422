"""The queue on the first page: what each route has under way, and when it will be through."""

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
"""What is still to do; what has ended is not counted: it only grows."""


@dataclass(frozen=True)
class QueueRow:
    """One route: its counts, each with the address of the list behind it, and its forecast in words."""

    name: str
    waiting: int
    running: int
    failed: int
    address: str
    through: str


def queue_table(user: Any) -> list[QueueRow] | None:
    """A row a route; None for who may not see jobs."""
    if not user.has_perm("sync.view_job"):
        return None
    routes = {route.slug: route for route in Route.objects.only("slug", "name")}
    message = queue_status(COUNTED).routes
    return [_row(one, routes[one.slug]) for one in message if one.slug in routes]


def _row(one: RouteStatus, route: Route) -> QueueRow:
    jobs = one.counts.jobs
    return QueueRow(
        name=str(route),
        waiting=jobs[Job.State.WAITING],
        running=jobs[Job.State.RUNNING],
        failed=jobs[Job.State.FAILED],
        address=f"{reverse('admin:sync_job_changelist')}?route__id__exact={route.pk}",
        through=_through(one.forecast),
    )


def _through(ahead: Forecast) -> str:
    if ahead.seconds is None:
        return safe(ahead.reason)
    return _("in %(time)s") % {"time": duration(ahead.seconds)} if ahead.seconds else _("nothing waits")
