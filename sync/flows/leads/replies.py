"""Answering whoever asked: what became of the request, stored in the transaction that settles its job.

An answer is final for the sender, but not always for us. When the portal is in trouble, the sender is told so
after the third try, as from the original, or when there will be none for long; the job waits on, and a later
success is told, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _

from sync.connectors.rabbitmq import leads
from sync.flows.contract import JobNotice
from sync.models import Attempt, Job, Message
from sync.queue import outbox
from sync.redaction.masking import mask

REPORTED_AFTER = 3
"""Tries that the portal's trouble has spoiled until the sender learns of it."""

SPOILED = (Attempt.Outcome.AWAY, Attempt.Outcome.UNKNOWN)


def notify(notices: list[JobNotice]) -> None:
    """A reply for each job that has ended, and for each that the portal keeps waiting."""
    due = [
        notice for notice in notices if notice.state != Job.State.WAITING or notice.attempt_outcome in SPOILED
    ]
    if not due:
        return
    spoiled = _spoiled([notice.job for notice in due])
    answers = [(notice.job.params, _answer(notice, spoiled.get(notice.job.pk, 0))) for notice in due]
    outbox.put([reply(params, answer) for params, answer in answers if answer])


def reply(params: Mapping[str, Any], answer: tuple[str, dict[str, Any]]) -> Message:
    """The message with the answer, for the queue that the request names."""
    pattern, data = answer
    return Message(queue=params["reply_queue"] or settings.RABBITMQ_REPLY_QUEUE, pattern=pattern, data=data)


def _answer(notice: JobNotice, spoiled: int) -> tuple[str, dict[str, Any]] | None:
    params = notice.job.params
    if notice.state == Job.State.DONE:
        return leads.success(params, int(notice.job.target_id), max(notice.attempts, spoiled + 1))
    if notice.state == Job.State.WAITING:
        return leads.error(params, _reason(notice), spoiled) if _is_reported_now(notice, spoiled) else None
    return leads.error(params, _reason(notice), max(notice.attempts, spoiled))


def _is_reported_now(notice: JobNotice, spoiled: int) -> bool:
    """Once: with the third try, or when the job is put off before it had three."""
    if notice.is_put_off:
        return spoiled < REPORTED_AFTER
    return notice.attempt_outcome in SPOILED and spoiled == REPORTED_AFTER and not notice.job.warning


def _reason(notice: JobNotice) -> str:
    if notice.failure == Job.Failure.BUG:  # its text is for developers
        return _("An error of ours; job %(job)s has the details.") % {"job": notice.job.pk}
    return mask(notice.reason)


def _spoiled(jobs: list[Job]) -> dict[int, int]:
    """How many tries of each job met trouble of the portal; the try just made is stored already.

    Counted in the attempt log: such a try is free for the job, its own count of attempts forgets it.
    """
    rows = Attempt.objects.filter(job__in=jobs, outcome__in=SPOILED).order_by().values("job_id")
    return {row["job_id"]: row["count"] for row in rows.annotate(count=Count("pk"))}
