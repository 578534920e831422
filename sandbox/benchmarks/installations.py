"""Installations as benchmarks need them: portals of a chosen speed, and deals alone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.benchmarks.context import Context
from sandbox.demo import Installation, run_manage

UNPACED = {
    "requests_per_minute": 100_000,
    "burst": 1000,
    "bucket_size": 100_000,
    "bucket_leak": 10_000.0,
}
"""A portal whose limits are never met."""

NOTHING_ELSE = {"contacts": False, "companies": False, "products": False, "files": False, "comments": "none"}
"""Deals alone, so that the work is the same as a script's: read, create, comment, stage."""

IDS_A_READ, WRITES_A_REQUEST = 2500, 50
MAX_SECONDS = 4 * 3600.0

Kind = TypeVar("Kind", bound="DealsInstallation")


@dataclass
class DealsInstallation(Installation):
    """An installation of deals alone."""

    def configuration(self) -> dict[str, Any]:
        """The example with deals alone."""
        config = super().configuration()
        for route in config["routes"]:
            route["carry"] = dict(NOTHING_ELSE)  # what two routes share would be written as a link
        return config

    def inside(self, work: str, **given: Any) -> dict[str, Any]:
        """Have `work` (benchmarks.workloads) done by a process of the installation; what it tells."""
        words = ["bench", "--inside", work, "--given", json.dumps(given)]
        result: dict[str, Any] = json.loads(
            run_manage(*words, environment=self.environment, seconds=MAX_SECONDS)
        )
        return result

    def drain(self, ids: list[str], *, work: str = "drain") -> dict[str, Any]:
        """Let webhooks about these deals be there all at once, and wait until nothing is left to do.

        Tells `seconds` from the wake-up to the last job, and `jobs` by state.
        """
        return self.inside(work, first=int(ids[0]), count=len(ids))

    def counts(self) -> dict[str, dict[str, Any]]:
        """What each portal has counted."""
        return {"source": self.source.get("stats"), "target": self.target.get("stats")}

    def forget_counts(self) -> None:
        """Both portals count from zero."""
        for portal in (self.source, self.target):
            portal.post("stats/reset", {})


@contextmanager
def deals_installation(
    context: Context,
    *,
    engine: str = "",
    emulator: list[str] | None = None,
    settings: dict[str, str] | None = None,
    **portal: Any,
) -> Iterator[DealsInstallation]:
    """An installation that runs, with its `settings`; more keyword arguments override the portals'."""
    with running(
        DealsInstallation, context, engine=engine, emulator=emulator, settings=settings, portal=portal
    ) as installation:
        yield installation


@contextmanager
def running(kind: type[Kind], context: Context, *, portal: dict[str, Any], **given: Any) -> Iterator[Kind]:
    """The same with an installation of this kind."""
    engine, emulator, settings = (
        given.pop("engine", ""),
        given.pop("emulator", None),
        given.pop("settings", None),
    )
    with context.database(engine) as url:
        installation = kind(
            folder=context.new_folder(),
            database_url=url,
            portal={**UNPACED, **portal},
            settings=settings or {},
            emulator=["--no-bucket"] if emulator is None else emulator,
            **given,
        )
        try:
            installation.start()
            yield installation
        finally:
            installation.stop()


def fewest_requests(deals: int) -> dict[str, int]:
    """The fewest requests that can carry so many deals: to the source portal and to the target."""
    writes = math.ceil(deals / WRITES_A_REQUEST)
    return {"source": math.ceil(deals / IDS_A_READ) + 2 * writes, "target": writes}
