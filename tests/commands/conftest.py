"""The installation under test: two emulated portals and a route of deals between them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import Schedule

from sandbox.emulators import bitrix24
from sync.models import FieldMapping, Job, Portal, Route
from tests.processes import Finished, Site

TOKEN = "inbound-token-of-the-tests"
ROUTE = "a-b"


@dataclass
class CommandSite:
    """An installation with the emulated portals `a` and `b` and a deals route; `run` runs its commands."""

    site: Site
    a: bitrix24.Emulator
    b: bitrix24.Emulator

    def run(self, *words: str, **options: Any) -> Finished:
        """Run a management command to its end; with options in a process of its own."""
        return self.site.manage(*words, **options) if options else self.site.call(*words)

    def queue(self, *words: str) -> dict[str, Any]:
        """What `queue --json` prints."""
        status: dict[str, Any] = json.loads(self.run("queue", "--json", *words).out)
        return status

    def add_jobs(self, count: int, *, route: str = ROUTE, first: int = 1, **columns: Any) -> None:
        """Add jobs to a route, each at the head of its lane when it is open."""
        with self.site.orm():
            row = Route.objects.get(slug=route)
            rows = []
            for number in range(first, first + count):
                lane = f"{row.pk}:deal:{number}"
                usual = {"portal_id": row.source_id, "step": "fetch", "kind": "deal"}
                job = Job(route=row, source_id=str(number), lane=lane, **usual | columns)
                if job.is_open:
                    job.head_of, job.due_at = lane, job.created_at
                rows.append(job)
            Job.objects.bulk_create(rows, batch_size=500)

    def jobs(self, **conditions: Any) -> list[Job]:
        """The jobs that meet these conditions, the oldest first."""
        with self.site.orm():
            return list(Job.objects.filter(**conditions).order_by("id"))

    def change_portal(self, slug: str, **columns: Any) -> None:
        """Change columns of a portal."""
        with self.site.orm():
            row = Portal.objects.get(slug=slug)
            for name, value in columns.items():
                setattr(row, name, value)
            row.save()

    def map(self, to: str, source: str = "TITLE", **columns: Any) -> None:
        """Add a field mapping to the route."""
        with self.site.orm():
            FieldMapping.objects.create(route=Route.objects.get(slug=ROUTE), to=to, source=source, **columns)


@pytest.fixture
def pair(sqlite_site: Site) -> Iterator[CommandSite]:
    """An installation on SQLite with two emulated portals."""
    installed = install(sqlite_site)
    yield installed
    installed.a.stop()
    installed.b.stop()


def install(installation: Site) -> CommandSite:
    """Start two portals with generous limits, and make their rows and the route."""
    emulators = {slug: bitrix24.start() for slug in ("a", "b")}
    with installation.orm():
        portals = {
            slug: Portal.objects.create(
                slug=slug,
                webhook_url=emulator.url,
                inbound_token=TOKEN,
                requests_per_minute=6000,
                bucket_leak=100,
            )
            for slug, emulator in emulators.items()
        }
        route = Route.objects.create(slug=ROUTE, source=portals["a"], target=portals["b"])
        FieldMapping.objects.create(route=route, to="TITLE", source="TITLE")
        # the copied database was migrated when the run began: minutes ago, its schedules are late by now
        Schedule.objects.update(next_run=timezone.now())
    return CommandSite(installation, emulators["a"], emulators["b"])
