"""Real processes: gunicorn and qcluster between two emulated portals.

On SQLite and again on MariaDB or MySQL where the database has a part in it; where it has none, on one of
them: `tests/flows` holds the same in one process on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db.models import Count

from sandbox.demo import Installation, PortalControl
from sync.models import Event, Job
from tests.portals import LocalPortal
from tests.processes import Site

FAST = {
    "requests_per_minute": 6000,
    "burst": 100,
    "bucket_size": 10000,
    "bucket_leak": 1000.0,
    "request_seconds": 2,
}
"""Columns of a portal that hardly limits us and cuts a request after two seconds."""

on_sqlite = pytest.mark.parametrize("site", ["sqlite"], indirect=True)
on_mysql = pytest.mark.parametrize("site", ["mysql"], indirect=True)

QUICK = {"WATCHDOG_SECONDS": "8", "SQLITE_SYNCHRONOUS": "NORMAL", "WEB_CONCURRENCY": "1", "WORKERS": "2"}
"""What starts quickly; two workers are enough to get in each other's way."""


@dataclass
class PairRig(Installation):
    """Two emulated portals, web and worker as processes, and access to their database."""

    site: Site | None = None
    portals: list[LocalPortal] = field(default_factory=list)

    def open_portal(self, name: str) -> PortalControl:
        """An emulated portal in this process."""
        portal = LocalPortal.with_bucket(None)
        self.portals.append(portal)
        return portal

    def migrate(self) -> None:
        """The site's database is a copy of a migrated one."""

    def manage(self, *arguments: str) -> str:
        """Run a command to its end; its output."""
        done = self.site.call(*arguments)
        assert done.code == 0, done.out + done.err
        return done.out

    def stop(self) -> None:
        """End all that was started, at once."""
        for process in reversed(self.running):
            process.kill()
        for portal in self.portals:
            portal.stop()

    def queue(self) -> dict[str, Any]:
        """The number of jobs by state, unsorted events among the waiting ones."""
        with self.site.orm():
            # events first: one that becomes a job meanwhile is counted twice, not left out
            unsorted = Event.objects.filter(outcome=Event.Outcome.WAITING).count()
            rows = Job.objects.values_list("state").annotate(count=Count("pk")).order_by()
            counts = dict.fromkeys(Job.State.values, 0) | dict(rows)
            counts["waiting"] += unsorted
        return {"jobs": counts}

    def failures(self) -> list[tuple[str, str, str]]:
        """Source deal, kind of failure and reason of each failed job."""
        with self.site.orm():
            return list(Job.objects.filter(state="failed").values_list("source_id", "failure", "note"))


@pytest.fixture
def start_rig(site: Site) -> Iterator[Callable[..., PairRig]]:
    """A function that starts portals, web and worker; its keyword arguments override portal columns."""
    running: list[PairRig] = []

    def start(*, settings: dict[str, str] | None = None, **portal: Any) -> PairRig:
        rig = PairRig(
            folder=site.folder / f"rig{len(running)}",
            database_url=site.database_url,
            portal={**FAST, **portal},
            settings={**QUICK, **(settings or {})},
            site=site,
        )
        running.append(rig)
        rig.start()
        return rig

    yield start
    for rig in running:
        rig.stop()
