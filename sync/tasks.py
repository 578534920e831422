"""What django-q2 calls: ids in, one line each. Nothing is lost when a call is."""

import os

from sync import engine
from sync.maintenance import directory_runs, reconciliation, recovery, retention
from sync.messaging import publisher
from sync.models import Heartbeat
from sync.queue import liveness


def drain(portal_id: int) -> None:
    """A bell rang: look at the portal."""
    _beat()
    engine.drain(portal_id)


def send_messages() -> None:
    """A bell rang: messages of the outbox wait to be sent."""
    _beat()
    publisher.send()


def sweep() -> None:
    """Every minute: what crashes and lost bells left behind."""
    _beat()
    recovery.sweep()


def beat() -> None:
    """The watchdog asks whether this cluster still runs tasks; a good moment to look around."""
    _beat()
    recovery.sweep()


def reconcile(route_id: int) -> None:
    """Look for changes of a route that no webhook told about."""
    _beat()
    reconciliation.reconcile(route_id)


def sync_directories() -> None:
    """By SYNC_SCHEDULE: read the directories; those under way are not read twice."""
    _beat()
    directory_runs.refresh_all()


def prune() -> None:
    """Daily: history older than RETENTION_DAYS."""
    retention.prune()


def _beat() -> None:
    liveness.answer()
    if name := os.environ.get("INTERCONNECTOR_WORKER", ""):
        Heartbeat.beat(name)
