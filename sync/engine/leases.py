"""Leases that ran out: the jobs of workers that never came back."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from sync.engine.batch import ClaimedParcel
from sync.engine.settlement import settle
from sync.errors import OutcomeUnknown
from sync.flows import FLOWS
from sync.flows.contract import Parcel
from sync.models import Job
from sync.queue import wakeup


def return_expired() -> int:
    """Put back the jobs of workers that never came back; how many.

    A call that must not be repeated blindly goes to its look-up. The lease outlives the portal's own
    request limit, so what was under way has ended by now.
    """
    now = timezone.now()
    expired = list(Job.objects.expired(now=now).select_related("route__source", "route__target"))
    lost = OutcomeUnknown(
        _("The worker that carried this job did not come back; the answer is lost."), after=0.0
    )
    for holder in {job.holder for job in expired}:
        jobs = [job for job in expired if job.holder == holder]
        entity = FLOWS[jobs[0].route.flow].entity  # a parcel is of one flow
        claimed = ClaimedParcel(parcel=Parcel(jobs=jobs, now=now, entity=entity), holder=holder)
        claimed.fail(lost)
        settle(claimed)
    for portal_id in {job.portal_id for job in expired}:
        wakeup.wake(portal_id)
    return len(expired)
