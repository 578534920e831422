"""The problems shown on the first page: failed jobs, portals in trouble, silent workers, messages that cannot
be sent; each query is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from sync.admin.labels import badge_of, brief
from sync.admin.moments import ago
from sync.admin.next_step import is_silent, portal_state
from sync.models import Heartbeat, Job, Message, OutboxLease, Pace, Portal

MAX_COUNTED = 10_000
"""Failed jobs of one kind that are counted; more are shown as "10000+"."""

MAX_ROWS = 20


def problems(user: Any) -> list[dict[str, Any]] | None:
    """One row a problem: badge, sentence, detail and link; only what `user` may see.

    None when they may see nothing of it: an empty list would say that all is well.
    """
    parts = [rows for right, rows in PARTS.items() if user.has_perm(right)]
    return [row for rows in parts for row in rows()] if parts else None


def _failures() -> list[dict[str, Any]]:
    counts = {word: Job.objects.filter(failure=word)[:MAX_COUNTED].count() for word in Job.Failure}
    address = reverse("admin:sync_job_changelist")
    return [
        _row(
            "bad",
            _("Failed jobs: %(why)s") % {"why": word.label},
            f"{count}+" if count == MAX_COUNTED else count,
            f"{address}?failure={word}",
        )
        for word, count in counts.items()
        if count
    ]


def _portals() -> list[dict[str, Any]]:
    troubled = Pace.objects.filter(failures__gt=0).select_related("portal")[:MAX_ROWS]
    rows = [
        _row(*_state(pace), brief(pace.trouble), _page(pace.portal))
        for pace in troubled
        if not pace.portal.is_paused
    ]
    paused = Portal.objects.filter(is_paused=True)[:MAX_ROWS]
    return rows + [_row("quiet", f"{portal}: {_('paused')}", "", _page(portal)) for portal in paused]


def _state(pace: Pace) -> tuple[str, str]:
    tone, words = portal_state(pace.portal, pace)
    return tone, f"{pace.portal}: {words}"


def _page(portal: Portal) -> str:
    return reverse("admin:sync_portal_change", args=[portal.pk])


def _workers() -> list[dict[str, Any]]:
    workers = list(Heartbeat.objects.order_by("-seen_at")[:MAX_ROWS])
    address = reverse("admin:sync_heartbeat_changelist")
    missing = []
    if not Heartbeat.alive().exists():
        missing.append(_row("bad", _("No worker runs: jobs wait until one is started"), "", address))
    if settings.RABBITMQ_URL and not Heartbeat.consumers().exists():
        words = _("No consumer runs: messages wait at RabbitMQ until one is started")
        missing.append(_row("bad", words, "", address))
    return missing or [
        _row("wait", _("Worker %(name)s is silent") % {"name": worker.name}, ago(worker.seen_at), address)
        for worker in workers
        if is_silent(worker)
    ]


def _messages() -> list[dict[str, Any]]:
    lease = OutboxLease.objects.filter(failures__gt=0).first()
    unsent = Message.unsent()[:MAX_COUNTED].count() if lease else 0
    if lease is None or not unsent:
        return []
    words = _("Messages that cannot be sent: %(count)s") % {"count": unsent}
    return [_row("bad", words, brief(lease.trouble), reverse("admin:sync_message_changelist") + "?sent=no")]


def _row(tone: str, what: str, detail: Any, address: str) -> dict[str, Any]:
    word = {"bad": _("act"), "wait": _("watch"), "quiet": _("note")}[tone]
    return {"badge": badge_of(tone, word), "what": what, "detail": detail, "url": address}


PARTS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "sync.view_job": _failures,
    "sync.view_portal": _portals,
    "sync.view_heartbeat": _workers,
    "sync.view_message": _messages,
}
"""Permission → the function that makes the rows it allows to see."""
