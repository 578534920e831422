"""Answering whoever asked, in flows that do: of a job that is settled, cancelled by staff, or put off.

Each answer is stored in the transaction that writes the state it tells of.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.flows import FLOWS
from sync.flows.contract import JobNotice
from sync.models import Attempt, Job, Portal, Route
from sync.models.job_queryset import JobQuerySet

NOTIFIED_FLOWS = [name for name, flow in FLOWS.items() if flow.notify]
"""Flows that answer whoever asked."""

PATIENCE = timedelta(seconds=6)
"""By then a job has had three tries, if the portal is the only one in trouble."""

NOTICES_AT_ONCE = 500


def notify(notices: Iterable[tuple[str, JobNotice]]) -> None:
    """Hand each flow its notices; pairs of a flow's name and what became of a job."""
    by_flow: dict[str, list[JobNotice]] = {}
    for flow, notice in notices:
        by_flow.setdefault(flow, []).append(notice)
    for flow, of_flow in by_flow.items():
        if receive := FLOWS[flow].notify:
            receive(of_flow)


def cancel(jobs: JobQuerySet[Job]) -> int:
    """Staff cancel waiting and failed jobs; whoever asked for a waiting one is told. How many changed.

    About those that had failed they were notified already.
    """
    flow_of = dict(Route.objects.filter(flow__in=NOTIFIED_FLOWS).values_list("pk", "flow"))
    with transaction.atomic():
        asked = list(jobs.filter(state=Job.State.WAITING, route__in=flow_of).select_for_update())
        count = jobs.cancel(now=timezone.now())
        reason = _("Cancelled by staff.")
        notices = [JobNotice(job, Job.State.CANCELLED, job.attempts, reason=reason) for job in asked]
        notify((flow_of[one.job.route_id], one) for one in notices)
    return count


def notify_of_outage(portal: Portal, trouble: str) -> int:
    """The portal is away: whoever asked for a job that waits for it is told once; how many were.

    Behind an open breaker one job at a time is tried, so of thousands most would never have a third try to
    tell of. The warning on the job marks it as answered, and shows staff what the sender was told.
    """
    routes = Route.objects.filter(flow__in=NOTIFIED_FLOWS, is_paused=False)
    flow_of = dict(routes.filter(target=portal).values_list("pk", "flow"))
    if not flow_of:
        return 0
    waiting = Job.objects.filter(
        portal=portal, state=Job.State.WAITING, route__in=flow_of, created_at__lt=timezone.now() - PATIENCE
    )
    count = 0
    while notified := _notify_some(waiting.filter(warning="").order_by("pk"), flow_of, trouble):
        count += notified
    return count


def _notify_some(waiting: JobQuerySet[Job], flow_of: dict[int, str], trouble: str) -> int:
    with transaction.atomic():
        jobs = list(waiting.select_for_update()[:NOTICES_AT_ONCE])
        marked = Job.objects.filter(pk__in=[job.pk for job in jobs])
        marked.update(warning=_("The portal was in trouble; whoever asked was told so meanwhile."))
        away = Attempt.Outcome.AWAY
        notices = [
            JobNotice(job, job.state, job.attempts, away, reason=trouble, is_put_off=True) for job in jobs
        ]
        notify((flow_of[one.job.route_id], one) for one in notices)
    return len(jobs)
