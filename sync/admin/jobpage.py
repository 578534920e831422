"""The page of one job: its attempts, the events that joined it, its mapping, and what staff can do."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from sync.admin.labels import ADVICE, badge, safe
from sync.admin.moments import exact
from sync.admin.next_step import next_step_text
from sync.flows import FLOWS, job_kind, step_label
from sync.models import Attempt, Event, Job, Link

MAX_ATTEMPTS = 50
"""Attempts shown; a job that waited for a portal for days may have thousands."""

MAX_EVENTS = 20


def job_page_context(job: Job, request: HttpRequest) -> dict[str, Any]:
    """What the template shows besides the job's fields; each part only to users who may see it."""
    attempts = list(job.attempt_rows.order_by("-id")[: MAX_ATTEMPTS + 1])
    return {
        "job": job,
        "next_step": next_step_text(job),
        "advice": ADVICE.get(job.failure, "") if job.state == Job.State.FAILED else "",
        "reason": safe(job.note),
        "warning": safe(job.warning),
        "attempts": [_attempt_row(attempt) for attempt in attempts[:MAX_ATTEMPTS]],
        "has_older_attempts": len(attempts) > MAX_ATTEMPTS,
        "events": _events(job) if request.user.has_perm("sync.view_event") else [],
        "link": _link(job) if request.user.has_perm("sync.view_link") else None,
        "kind": job_kind(job.kind),
        "answer": _answer(job) if FLOWS[job.route.flow].notify else "",
    }


def _answer(job: Job) -> str:
    """The answer that the sender of the request has got, as a sentence; messages have their own screen."""
    if job.state == Job.State.DONE:
        return gettext("Success: %(record)s.") % {"record": job.target_id}
    if not job.is_open:
        return gettext("An error, with the reason above. A later success will be reported, too.")
    return gettext(
        "Nothing final yet. When the portal is in trouble, an error is reported after the third try."
    )


def _attempt_row(attempt: Attempt) -> dict[str, Any]:
    return {
        "when": exact(attempt.started_at),
        "seconds": (attempt.ended_at - attempt.started_at).total_seconds(),
        "step": step_label(attempt.step),
        "outcome": badge(attempt.outcome, attempt.get_outcome_display()),
        "status": attempt.http_status,
        "code": attempt.code,
        "company": attempt.parcel_size - 1,
        "request": attempt.request_id,
        "message": safe(attempt.message),
    }


def _events(job: Job) -> list[Event]:
    """Events about the job's records, of the ends where events make jobs; several may have joined it."""
    sides = FLOWS[job.route.flow].first
    ids = [job.source_id, job.target_id if "target" in sides else ""]
    portals = [job.route.portal_id_of(side) for side in sides]
    rows = Event.objects.filter(record_id__in=filter(None, ids), portal__in=portals)
    newest = rows.order_by("record_id", "-id")  # by ID alone, SQLite would read the portals' whole history
    events = list(newest.select_related("portal")[:MAX_EVENTS])
    for event in events:
        event.note = safe(event.note)
    return events


def _link(job: Job) -> Link | None:
    entity = job_kind(job.kind).link
    if not entity:
        return None
    column = "source_id" if job.source_id else "target_id"
    links = Link.objects.filter(route=job.route_id, entity=entity, **{column: getattr(job, column)})
    return links.order_by(column).first()  # ordered by ID, SQLite would walk the whole route
