"""The page of one job: its attempts, the events that joined it, its mapping, and what staff can do."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.labels import ADVICE, badge, safe, step_words
from sync.admin.moments import exact
from sync.admin.next_step import next_step_text
from sync.flows import FLOWS
from sync.models import Attempt, Event, Job, Link

MAX_ATTEMPTS = 50
"""Attempts shown; a job that waited for a portal for days may have thousands."""

MAX_EVENTS = 20

MAPPED_AS = {"deal": "deal", "feedback": "deal", "lead": "lead"}
"""Kind of job → entity of its mapping; jobs of other kinds (comments) have none."""

WORDS: dict[str, dict[str, Any]] = {
    "deal": {
        "mapping": _("Deal mapping"),
        "events": _("Webhooks about this deal; several may have joined this job:"),
    },
    "lead": {
        "mapping": _("Lead mapping"),
        "events": _("Requests about this user, each with a job of its own:"),
    },
}


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
        "words": WORDS[MAPPED_AS.get(job.kind, "deal")],
        "answer": _answer(job) if FLOWS[job.route.flow].tell else "",
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
        "step": step_words(attempt.step),
        "outcome": badge(attempt.outcome, attempt.get_outcome_display()),
        "status": attempt.http_status,
        "code": attempt.code,
        "company": attempt.parcel_size - 1,
        "request": attempt.request_id,
        "message": safe(attempt.message),
    }


def _events(job: Job) -> list[Event]:
    """Webhooks about the job's deal (several may have joined it), or the core's requests about a user."""
    ids, portals = [job.source_id], [job.route.source_id]
    if job.kind != "lead":
        ids, portals = [*ids, job.target_id], [*portals, job.route.target_id or job.route.source_id]
    rows = Event.objects.filter(record_id__in=filter(None, ids), portal__in=portals)
    newest = rows.order_by("record_id", "-id")  # by ID alone, SQLite would read the portals' whole history
    events = list(newest.select_related("portal")[:MAX_EVENTS])
    for event in events:
        event.note = safe(event.note)
    return events


def _link(job: Job) -> Link | None:
    if job.kind not in MAPPED_AS:
        return None
    column = "source_id" if job.source_id else "target_id"
    entity = MAPPED_AS[job.kind]
    links = Link.objects.filter(route=job.route_id, entity=entity, **{column: getattr(job, column)})
    return links.order_by(column).first()  # ordered by ID, SQLite would walk the whole route
