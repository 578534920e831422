"""Reconciliation: changes that no webhook brought. The vendor repeats none, and funnel moves fire none.

Each route remembers until when nothing was missed. From there, with an overlap, the records that changed are
listed, and those without a job of their own get one. What turns out to be unchanged costs no write.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils import timezone

from sync import inbox
from sync.connectors.types import Command, Reply
from sync.errors import SyncError
from sync.flows import FLOWS
from sync.gateway.calls import request
from sync.gateway.listing import pages
from sync.models import Job, Portal, Route
from sync.queue import wakeup

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)
"""Clocks differ a little, and a change may be seen late."""

PATIENCE = 10.0
"""Seconds to wait for a permit; without one the next sweep tries again."""


def start_due() -> None:
    """Start a look for every route whose time has come; at most one at a time for each."""
    now = timezone.now()
    for route in Route.objects.filter(is_paused=False, reconcile_minutes__gt=0, source__is_paused=False):
        every = timedelta(minutes=route.reconcile_minutes)
        rows = Route.objects.filter(pk=route.pk, next_reconcile_at=route.next_reconcile_at)
        is_due = route.next_reconcile_at is None or route.next_reconcile_at <= now
        if is_due and rows.update(next_reconcile_at=now + every):
            wakeup.enqueue("sync.tasks.reconcile", route.pk)


def reconcile(route_id: int) -> int:
    """Queue the changes of a route that were missed; how many. A portal away or busy: the next time."""
    route = Route.objects.select_related("source").get(pk=route_id)
    flow = FLOWS[route.flow]
    if flow.listing is None:
        return 0
    began, queued, looked = timezone.now(), 0, 0
    since = (route.reconciled_until or route.created_at) - OVERLAP
    try:
        for seen in pages(flow.listing, _request_page(route.source), since=since.isoformat()):
            queued += inbox.queue(route, flow.missed(route, seen), priority=Job.LIVE)
            looked += len(seen)
    except SyncError as error:
        logger.warning("%s: the look for missed changes was put off. %s", route.slug, error.message)
        return queued
    Route.objects.filter(pk=route.pk).update(reconciled_until=began)
    if queued:
        logger.info("%s: %d of %d changed records had no job and get one.", route.slug, queued, looked)
    return queued


def _request_page(portal: Portal) -> Callable[[Mapping[str, Command]], Reply]:
    def request_page(commands: Mapping[str, Command]) -> Reply:
        reply = request(portal, commands, patience=PATIENCE)
        for answer in reply.answers.values():
            answer.result()
        return reply

    return request_page
