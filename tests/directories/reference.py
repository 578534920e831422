"""An emulated portal with reference data, and what tests do with it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from django.utils import timezone

from sandbox.emulators.bitrix24 import Emulator
from sync import engine
from sync.config import apply, load
from sync.maintenance import directory_runs
from sync.models import Directory, DirectoryRun, Job, Portal

EXAMPLE = Path(__file__).parents[2] / "examples" / "directories.yaml"
LIST = {"IBLOCK_TYPE_ID": "bitrix_processes"}
STATES = {"1501": "Действует", "1503": "Закрыт"}
WITHOUT_LIMITS = {
    "requests_per_minute": 100_000,
    "burst": 1000,
    "bucket_size": 100_000,
    "bucket_leak": 10_000.0,
}


@dataclass
class ReferencePortal:
    """An emulated portal with lists and users, read into this process's database by the shipped example."""

    emulator: Emulator
    cities: dict[str, str] = field(default_factory=dict)

    def seed(
        self, *, cities: int = 3, categories: int = 2, objects: int = 4, violations: int = 3, users: int = 2
    ) -> None:
        """Add records of all five directories; each object has a city, each violation a category."""
        self.cities = {str(2001 + 2 * number): f"City {number}" for number in range(cities)}
        self.rename_cities()
        keys = list(self.cities)
        self.add(127, ({"NAME": f"Category {number}"} for number in range(categories)))
        ids = [row["ID"] for row in self.elements(127)]
        self.add(
            77,
            (
                {"NAME": f"Object {n}", "PROPERTY_637": keys[n % cities], "PROPERTY_645": "1501"}
                for n in range(objects)
            ),
        )
        self.add(
            123,
            (
                {"NAME": f"Violation {n}", "PROPERTY_1091": str(ids[n % categories]), "PROPERTY_1115": "1503"}
                for n in range(violations)
            ),
        )
        self.emulator.add("users", *({"NAME": f"Name{n}", "LAST_NAME": f"Last{n}"} for n in range(1, users)))

    def rename_cities(self, **names: str) -> None:
        """Set the choices of the objects' field "city", these ones changed or added."""
        self.cities |= names
        listed = self.emulator.portal.directory.lists[77]
        listed.fields["PROPERTY_637"]["DISPLAY_VALUES_FORM"] = dict(self.cities)

    def elements(self, list_id: int) -> list[dict[str, Any]]:
        """All elements of a list as the portal keeps them."""
        return list(self.emulator.portal.directory.lists[list_id].elements)

    def add(self, list_id: int, rows: Iterable[dict[str, Any]]) -> list[int]:
        """Add elements to a list; their IDs."""
        return self.emulator.add("elements", *({"IBLOCK_ID": list_id, **row} for row in rows))

    def change(self, list_id: int, element_id: int, **fields: str) -> None:
        """Edit an element, as a user of the portal does."""
        params = {**LIST, "IBLOCK_ID": list_id, "ELEMENT_ID": element_id, "FIELDS": fields}
        self.call("lists.element.update", params)

    def remove(self, list_id: int, element_id: int) -> None:
        """Delete an element, as a user of the portal does."""
        self.call("lists.element.delete", {**LIST, "IBLOCK_ID": list_id, "ELEMENT_ID": element_id})

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a REST call by a user of the portal."""
        answer = requests.post(f"{self.emulator.url}{method}", json=params, timeout=20)
        answer.raise_for_status()
        return answer.json()["result"]

    def configure(self, text: str = "", **portal: Any) -> None:
        """Import a configuration, the shipped example by default, and lift the limits of the portals."""
        environ = {"BITRIX_WEBHOOK_URL": self.emulator.url}
        apply(load(text or EXAMPLE.read_text(encoding="utf-8"), "file.yaml", environ=environ))
        Portal.objects.update(**{**WITHOUT_LIMITS, "request_seconds": 5, **portal})

    def run(self, *slugs: str, seconds: float = 60, is_dry_run: bool = False) -> dict[str, DirectoryRun]:
        """Read these directories, or all, to the end; slug → its run."""
        chosen = Directory.objects.filter(slug__in=slugs) if slugs else Directory.objects.all()
        ids = directory_runs.refresh(chosen.select_related("route"), is_dry_run=is_dry_run)
        self.drain(seconds=seconds)
        return {run.directory.slug: run for run in DirectoryRun.objects.filter(job__in=ids)}

    def drain(self, *, seconds: float = 60) -> None:
        """Drain all portals until no job is open; a job that waits for a moment is due at once."""
        ends = time.monotonic() + seconds
        while Job.objects.filter(state__in=Job.OPEN).exists():
            assert time.monotonic() < ends, list(Job.objects.values("source_id", "step", "state", "note"))
            if not sum(engine.drain(portal_id) for portal_id in Portal.objects.values_list("pk", flat=True)):
                now = timezone.now()
                waits = Job.objects.filter(state="waiting", due_at__gt=now)
                time.sleep(0 if waits.update(due_at=now) else 0.05)

    def requests(self) -> int:
        """The number of HTTP requests that the portal has received."""
        return int(self.emulator.stats()["requests"])


def counts(run: DirectoryRun) -> dict[str, int]:
    """The counts of a run, without zeros."""
    return {word: count for word, count in run.counts.items() if count}
