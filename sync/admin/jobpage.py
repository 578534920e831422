"""The page of one job: its tries, what joined it, its deal mapping, and what a person can do."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from sync.admin.moments import exact
from sync.admin.outlook import outlook
from sync.admin.words import ADVICE, badge, safe, step_words
from sync.models import Attempt, Event, Job, Link

MOST_TRIES = 50
"""Tries shown; a job that waited for a portal for days may have thousands."""

MOST_EVENTS = 20

DEAL_KINDS = ("deal", "feedback")
"""Kinds of jobs whose record is a deal."""


def page_of(job: Job, request: HttpRequest) -> dict[str, Any]:
    """What the template shows about the job beside its fields; each part only to those who may see it."""
    tries = list(job.attempt_rows.order_by("-id")[: MOST_TRIES + 1])
    return {
        "job": job,
        "outlook": outlook(job),
        "advice": ADVICE.get(job.failure, "") if job.state == Job.State.FAILED else "",
        "reason": safe(job.note),
        "warning": safe(job.warning),
        "tries": [_try(attempt) for attempt in tries[:MOST_TRIES]],
        "has_older_tries": len(tries) > MOST_TRIES,
        "events": _events(job) if request.user.has_perm("sync.view_event") else [],
        "link": _link(job) if request.user.has_perm("sync.view_link") else None,
    }


def _try(attempt: Attempt) -> dict[str, Any]:
    return {
        "when": exact(attempt.started_at),
        "seconds": (attempt.ended_at - attempt.started_at).total_seconds(),
        "step": step_words(attempt.step),
        "outcome": badge(attempt.outcome, attempt.get_outcome_display()),
        "status": attempt.http_status,
        "code": attempt.code,
        "company": attempt.parcel_size - 1,
        "request": attempt.request_id,
        "message": safe(attempt.message),
    }


def _events(job: Job) -> list[Event]:
    """Webhooks about the job's deal; several may have joined the one job."""
    ids = [job.source_id.lstrip("?"), job.target_id]
    portals = filter(None, [job.route.source_id, job.route.target_id])
    rows = Event.objects.filter(record_id__in=filter(None, ids), portal__in=portals)
    newest = rows.order_by("record_id", "-id")  # by ID alone, SQLite would read the portals' whole history
    events = list(newest.select_related("portal")[:MOST_EVENTS])
    for event in events:
        event.note = safe(event.note)
    return events


def _link(job: Job) -> Link | None:
    if job.kind not in DEAL_KINDS:  # a comment's ID is no deal's
        return None
    column, deal_id = (
        ("target_id", job.source_id[1:]) if job.source_id[:1] == "?" else ("source_id", job.source_id)
    )
    links = Link.objects.filter(route=job.route_id, entity="deal", **{column: deal_id})
    return links.order_by(column).first()  # ordered by ID, SQLite would walk the whole route
