"""A user as the API tells it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Max

from sync.models import CoreUser, Job, Route
from sync.redaction.masking import mask


def tell(user: CoreUser, job: Job | None) -> dict[str, Any]:
    """One user; `job` is the newest of its jobs, if the bitrix role runs here and has one."""
    return {
        "id": user.pk,
        "full_name": user.full_name,
        "phone": user.phone,
        "stage": user.stage,
        "bitrix_lead_id": user.bitrix_lead_id,
        "lead": {
            "state": user.lead_state,
            "reason": mask(user.lead_reason),
            "replied_at": _moment(user.replied_at),
            "job": _job(job) if job else None,
        },
        "created_at": _moment(user.created_at),
        "updated_at": _moment(user.updated_at),
    }


def tell_all(users: Iterable[CoreUser]) -> list[dict[str, Any]]:
    """Many users, with one query for the jobs of all."""
    rows = list(users)
    jobs = newest_jobs([user.pk for user in rows])
    return [tell(user, jobs.get(user.pk)) for user in rows]


def newest_jobs(ids: list[int]) -> dict[int, Job]:
    """The newest job of each of these users on the routes of leads, by the user's ID."""
    theirs = Job.objects.filter(route__flow=Route.Flow.LEADS, source_id__in=[str(one) for one in ids])
    newest = theirs.order_by().values("source_id").annotate(newest=Max("pk")).values("newest")
    return {int(job.source_id): job for job in Job.objects.filter(pk__in=newest).order_by().defer("params")}


def _job(job: Job) -> dict[str, Any]:
    return {
        "id": job.pk,
        "state": job.state,
        "step": job.step,
        "attempts": job.attempts,
        "due_at": _moment(job.due_at if job.state == Job.State.WAITING else None),
        "note": mask(job.note),
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
