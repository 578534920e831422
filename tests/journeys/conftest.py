"""Real processes: two emulated portals, gunicorn and qcluster, on SQLite and again on MariaDB or MySQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.models import Count

from sandbox.demo import Installation
from sync.models import Event, Job
from tests.databases import mysql_site, mysql_template, site, sqlite_site, sqlite_template  # noqa: F401
from tests.processes import Site

FAST = {
    "requests_per_minute": 6000,
    "burst": 100,
    "bucket_size": 10000,
    "bucket_leak": 1000.0,
    "request_seconds": 2,
}
"""Columns of a portal that hardly limits us and cuts a request after two seconds."""


@dataclass
class PairRig(Installation):
    """Two emulated portals, web and worker as processes, and access to their database."""

    site: Site | None = None

    def queue(self) -> dict[str, Any]:
        """The number of jobs by state, unsorted events among the waiting ones."""
        with self.site.orm():
            rows = Job.objects.values_list("state").annotate(count=Count("pk")).order_by()
            counts = dict.fromkeys(Job.State.values, 0) | dict(rows)
            counts["waiting"] += Event.objects.filter(outcome=Event.Outcome.WAITING).count()
        return {"jobs": counts}

    def failures(self) -> list[tuple[str, str, str]]:
        """Source deal, kind of failure and reason of each failed job."""
        with self.site.orm():
            return list(Job.objects.filter(state="failed").values_list("source_id", "failure", "note"))


@pytest.fixture
def start_rig(site: Site) -> Iterator[Callable[..., PairRig]]:  # noqa: F811
    """A function that starts portals, web and worker; its keyword arguments override portal columns."""
    running: list[PairRig] = []

    def start(*, settings: dict[str, str] | None = None, **portal: Any) -> PairRig:
        rig = PairRig(
            folder=site.folder / f"rig{len(running)}",
            database_url=site.database_url,
            portal={**FAST, **portal},
            settings={"WATCHDOG_SECONDS": "8", "SQLITE_SYNCHRONOUS": "NORMAL", **(settings or {})},
            emulator=["--no-bucket"],
            site=site,
        )
        running.append(rig)
        rig.start()
        return rig

    yield start
    for rig in running:
        rig.stop()
