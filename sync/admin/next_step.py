"""What a job waits for and what happens next, in one sentence for staff."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sync.admin.moments import exact, in_words
from sync.flows import step_label
from sync.models import Heartbeat, Job, Pace, Portal

SOON = timedelta(seconds=1)

SILENT = timedelta(seconds=150)
"""A worker reports every minute; after two and a half without a report it does not run."""


def next_step_text(job: Job) -> str:
    """What happens to the job next, when, and on what that depends."""
    if job.state == Job.State.WAITING:
        return _waiting(job)
    return {
        Job.State.RUNNING: _("A worker is carrying it right now: %(step)s, on portal %(portal)s.")
        % {"step": step_label(job.step), "portal": job.portal},
        Job.State.DONE: _("Nothing more: it is done."),
        Job.State.SKIPPED: _("Nothing more: there was nothing to do."),
        Job.State.CANCELLED: _("Nothing, until somebody presses “Retry”."),
        Job.State.FAILED: _("Nothing, until somebody presses “Retry”; then it goes on with: %(step)s.")
        % {"step": step_label(job.step)},
    }[Job.State(job.state)]


def _waiting(job: Job) -> str:
    if job.due_at is None:
        return _("It waits for its turn: an older job of the same record goes first.")
    if job.route.is_paused:
        return _("The route is paused; the job goes on when it is resumed.")
    if job.portal.is_paused:
        return _("Portal %(portal)s is paused; the job goes on when it is resumed.") % {"portal": job.portal}
    return _queued(job, Pace.objects.filter(pk=job.portal_id).first(), timezone.now())


def _queued(job: Job, pace: Pace | None, now: datetime) -> str:
    words = {
        "step": step_label(job.step),
        "portal": job.portal,
        "minute": job.portal.requests_per_minute,
    }
    if pace and pace.is_away:
        probe = {"when": in_words(_moment(max(pace.away_until, time.time())), now)}
        return _(
            "Portal %(portal)s does not answer. We ask it again by itself, next: %(when)s; then: %(step)s."
        ) % (words | probe)
    if job.due_at and job.due_at > now + SOON:
        due = {"when": in_words(job.due_at, now), "exact": exact(job.due_at)}
        return _("Next try %(when)s (%(exact)s): %(step)s, on portal %(portal)s.") % (words | due)
    soon = _("It goes with one of the next requests to %(portal)s (at most %(minute)s a minute): %(step)s.")
    return soon % words


def portal_state(portal: Portal, pace: Pace | None) -> tuple[str, str]:
    """The portal's state as a tone (good, wait, bad, quiet) and a sentence."""
    now = timezone.now()
    if portal.is_paused:
        return "quiet", _("Paused: nothing is sent")
    if pace is None or not pace.failures:
        return "good", _("No trouble")
    if not pace.is_away:
        words = {"count": pace.failures}
        return "wait", _("Answers badly: %(count)s requests in a row failed") % words
    probe = {"when": in_words(_moment(max(pace.away_until, time.time())), now)}
    return "bad", _("Does not answer; next question to it: %(when)s") % probe


def is_silent(worker: Heartbeat) -> bool:
    """Whether the worker's last heartbeat is too old."""
    return worker.seen_at < timezone.now() - SILENT


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.get_default_timezone())
