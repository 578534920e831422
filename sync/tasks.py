"""What django-q2 calls: an ID in, one line each. A lost call loses no work."""

import os

from sync import engine
from sync.maintenance import directory_runs, reconciliation, recovery, retention
from sync.messaging import publisher
from sync.models import Heartbeat
from sync.queue import liveness


def drain(portal_id: int) -> None:
    """Work on the portal's due jobs; called by a wake-up."""
    _beat()
    engine.drain(portal_id)


def send_messages() -> None:
    """Send the messages of the outbox; called by a wake-up."""
    _beat()
    publisher.send()


def sweep() -> None:
    """Every minute: repair what crashes and lost wake-ups left behind."""
    _beat()
    recovery.sweep()


def beat() -> None:
    """Answer the watchdog that this cluster still runs tasks, and repair as `sweep` does."""
    _beat()
    recovery.sweep()


def reconcile(route_id: int) -> None:
    """Look for changes of a route's records that no webhook reported."""
    _beat()
    reconciliation.reconcile(route_id)


def sync_directories() -> None:
    """By SYNC_SCHEDULE: read the directories; one that is being read is not started again."""
    _beat()
    directory_runs.refresh_all()


def prune() -> None:
    """Daily: delete history older than RETENTION_DAYS."""
    retention.prune()


def _beat() -> None:
    liveness.answer()
    if name := os.environ.get("INTERCONNECTOR_WORKER", ""):
        Heartbeat.beat(name)
