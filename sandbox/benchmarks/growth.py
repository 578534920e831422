"""Time and queries a deal, with a thousand ended jobs in the table and with a million."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.ground import Ground
from sandbox.benchmarks.installations import DealsInstallation, deals_installation
from sandbox.demo import run_manage

FEW = 1000


def run(ground: Ground) -> Findings:
    """On each engine at hand: one process drains, so that what is measured is ours alone."""
    findings = Findings(
        rows=[("database", "ended jobs", "ms a deal", "processor ms a deal", "queries a deal")]
    )
    for engine in ground.engines:
        _run_on(ground, engine, findings)
    findings.notes.append(
        "Each ended job has its event, link and attempt. One process carries the deals through all steps; "
        "its time includes the portals' answers."
    )
    return findings


def _run_on(ground: Ground, engine: str, findings: Findings) -> None:
    with deals_installation(ground, engine=engine) as young, ground.database(engine) as url:
        young.worker.stop()
        young.web.stop()
        pasts = {FEW: young, ground.scale.rows: _twin(young, url)}
        for rows, installation in pasts.items():
            installation.inside("fill", rows=rows)
        few, many = _in_turn(ground, pasts)
    for rows, rounds in zip(pasts, (few, many), strict=True):
        findings.rows.append((engine, f"{rows:,}".replace(",", " "), *(f"{value:.2f}" for value in rounds)))
    findings.figures += [
        Figure(f"Growth on {engine}: time a deal, many ÷ few", many[0] / few[0], most=1.2),
        Figure(f"Growth on {engine}: processor time a deal, many ÷ few", many[1] / few[1]),
        Figure(f"Growth on {engine}: queries a deal, many ÷ few", many[2] / few[2], most=1.05),
    ]
    findings.counts[engine] = {"queries": (few[2], many[2])}


def _twin(installation: DealsInstallation, database_url: str) -> DealsInstallation:
    """The same portals over a database of its own."""
    twin = copy(installation)
    twin.environment = {**installation.environment, "DATABASE_URL": database_url}
    run_manage("migrate", "--verbosity", "0", environment=twin.environment)
    twin.configure()
    return twin


def _in_turn(ground: Ground, pasts: Mapping[int, DealsInstallation]) -> list[tuple[float, ...]]:
    """Milliseconds, processor milliseconds and queries a deal beside each past, the median of the rounds.

    Round by round in turn: what else the machine does meanwhile hits both alike.
    """
    rounds: dict[int, list[dict[str, Any]]] = {rows: [] for rows in pasts}
    for _ in range(ground.scale.rounds + 1):
        for rows, installation in pasts.items():
            rounds[rows].append(
                installation.drain(installation.seed(ground.scale.deals, is_silent=True), work="drive")
            )
    return [_a_deal(ground, rows, found) for rows, found in rounds.items()]


def _a_deal(ground: Ground, rows: int, rounds: list[dict[str, Any]]) -> tuple[float, ...]:
    deals = ground.scale.deals
    ground.say(f"{rows} ended jobs: {[round(one['seconds'] / deals * 1000, 2) for one in rounds]} ms a deal")
    parts = {"seconds": 1000, "processor_seconds": 1000, "queries": 1}
    rest = rounds[1:]  # the first one finds cold pages
    return tuple(median(one[part] / deals for one in rest) * times for part, times in parts.items())
