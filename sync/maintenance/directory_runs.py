"""Starting directories, by the clock or by a person: parents first, never twice at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.db.models import Max

from sync import inbox
from sync.flows.directories.writing import KIND
from sync.models import Directory, Job, Portal, Route
from sync.models.tree import parents_first


def refresh(
    directories: Iterable[Directory], *, route: Route | None = None, is_dry_run: bool = False
) -> list[int]:
    """Queue a run of each directory and its job's ID; one that is under way is joined, not doubled.

    `route`: read by way of this route instead of the directory's own.
    """
    params = {"dry_run": True} if is_dry_run else {}
    for directory in in_order(directories):
        if not open_jobs([directory]):
            inbox.queue(route or directory.route, [directory.slug], params=params)
    return newest_jobs(directories)


def refresh_all() -> int:
    """What the schedule does: every directory that is not paused; how many jobs are under way."""
    return len(refresh(Directory.objects.filter(is_paused=False).select_related("route")))


def in_order(directories: Iterable[Directory]) -> list[Directory]:
    """Parents before their children, the oldest first."""
    oldest = sorted(directories, key=lambda one: one.pk)
    return parents_first(oldest, key=lambda one: one.pk, parent=lambda one: one.parent_id)


def open_jobs(directories: Iterable[Directory]) -> list[int]:
    """The jobs of these directories that are under way, whatever their route."""
    slugs = [directory.slug for directory in directories]
    rows = Job.objects.filter(kind=KIND, source_id__in=slugs, state__in=Job.OPEN)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def newest_jobs(directories: Iterable[Directory]) -> list[int]:
    """The latest job of each directory, in the order in which they were queued."""
    slugs = [directory.slug for directory in directories]
    rows = Job.objects.filter(kind=KIND, source_id__in=slugs).order_by().values("source_id")
    return sorted(row["newest"] for row in rows.annotate(newest=Max("pk")))


def route_by(webhook_url: str) -> Route:
    """The route that reads by this incoming webhook; portal and route are made when they are not there.

    They are named by a digest of the address, so that the same address finds them again.
    """
    name = "webhook-" + hashlib.sha256(webhook_url.encode()).hexdigest()[:10]
    known = [portal for portal in Portal.objects.all() if portal.webhook_url == webhook_url]
    portal = known[0] if known else Portal.objects.create(slug=name, name=name, webhook_url=webhook_url)
    routes = Route.objects.filter(source=portal, flow=Directory.FLOW)
    return routes.first() or Route.objects.create(
        slug=f"directories-{portal.slug}"[:60],
        source=portal,
        flow=Directory.FLOW,
        reconcile_minutes=0,
    )
