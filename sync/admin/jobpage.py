"""The page of one job: its tries, what joined it, its mapping, and what a person can do."""

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

MAX_TRIES = 50
"""Tries shown; a job that waited for a portal for days may have thousands."""

MAX_EVENTS = 20

MAPPED_AS = {"deal": "deal", "feedback": "deal", "lead": "lead"}
"""Kind of job → what its mapping joins; a comment's ID is no deal's."""

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


def page_of(job: Job, request: HttpRequest) -> dict[str, Any]:
    """What the template shows about the job beside its fields; each part only to those who may see it."""
    tries = list(job.attempt_rows.order_by("-id")[: MAX_TRIES + 1])
    return {
        "job": job,
        "outlook": next_step_text(job),
        "advice": ADVICE.get(job.failure, "") if job.state == Job.State.FAILED else "",
        "reason": safe(job.note),
        "warning": safe(job.warning),
        "tries": [_try(attempt) for attempt in tries[:MAX_TRIES]],
        "has_older_tries": len(tries) > MAX_TRIES,
        "events": _events(job) if request.user.has_perm("sync.view_event") else [],
        "link": _link(job) if request.user.has_perm("sync.view_link") else None,
        "words": WORDS[MAPPED_AS.get(job.kind, "deal")],
        "answer": _answer(job) if FLOWS[job.route.flow].tell else "",
    }


def _answer(job: Job) -> str:
    """What whoever asked has heard of the job, in words; the messages have a screen of their own."""
    if job.state == Job.State.DONE:
        return gettext("Success: %(record)s.") % {"record": job.target_id}
    if not job.is_open:
        return gettext("An error, with the reason above. A later success will be told, too.")
    return gettext("Nothing final yet. When the portal is in trouble, an error is told after the third try.")


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
    """Webhooks about the job's deal; several may have joined the one job. Of a user, the core's requests."""
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
