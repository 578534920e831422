"""Time and queries a deal, with a thousand ended jobs in the table and with a million."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.installations import DealsInstallation, deals_installation
from sandbox.demo import run_manage

FEW = 1000


def run(context: Context) -> Findings:
    """On each engine at hand: one process drains, so that what is measured is ours alone."""
    findings = Findings(
        rows=[("database", "ended jobs", "ms a deal", "processor ms a deal", "queries a deal")]
    )
    for engine in context.engines:
        _run_on(context, engine, findings)
    findings.notes.append(
        "Each ended job has its event, link and attempt. One process takes the deals through all steps; "
        "its time includes the portals' answers."
    )
    return findings


def _run_on(context: Context, engine: str, findings: Findings) -> None:
    with deals_installation(context, engine=engine) as young, context.database(engine) as url:
        young.worker.stop()
        young.web.stop()
        installations = {FEW: young, context.scale.rows: _same_portals(young, url)}
        for rows, installation in installations.items():
            installation.inside("fill", rows=rows)
        few, many = _in_turn(context, installations)
    for rows, rounds in zip(installations, (few, many), strict=True):
        findings.rows.append((engine, f"{rows:,}".replace(",", " "), *(f"{value:.2f}" for value in rounds)))
    findings.figures += [
        Figure(f"Growth on {engine}: time a deal, many ÷ few", many[0] / few[0], most=1.2),
        Figure(f"Growth on {engine}: processor time a deal, many ÷ few", many[1] / few[1]),
        Figure(f"Growth on {engine}: queries a deal, many ÷ few", many[2] / few[2], most=1.05),
    ]
    findings.counts[engine] = {"queries": (few[2], many[2])}


def _same_portals(installation: DealsInstallation, database_url: str) -> DealsInstallation:
    """The same portals over a database of its own."""
    other = copy(installation)
    other.environment = {**installation.environment, "DATABASE_URL": database_url}
    run_manage("migrate", "--verbosity", "0", environment=other.environment)
    other.configure()
    return other


def _in_turn(context: Context, installations: Mapping[int, DealsInstallation]) -> list[tuple[float, ...]]:
    """Milliseconds, processor milliseconds and queries a deal beside each history, the median of the rounds.

    Round by round in turn: what else the machine does meanwhile hits both alike.
    """
    rounds: dict[int, list[dict[str, Any]]] = {rows: [] for rows in installations}
    for _ in range(context.scale.rounds + 1):
        for rows, installation in installations.items():
            rounds[rows].append(
                installation.drain(installation.seed(context.scale.deals, is_silent=True), work="drain_here")
            )
    return [_a_deal(context, rows, found) for rows, found in rounds.items()]


def _a_deal(context: Context, rows: int, rounds: list[dict[str, Any]]) -> tuple[float, ...]:
    deals = context.scale.deals
    context.say(f"{rows} ended jobs: {[round(one['seconds'] / deals * 1000, 2) for one in rounds]} ms a deal")
    parts = {"seconds": 1000, "processor_seconds": 1000, "queries": 1}
    rest = rounds[1:]  # the first one finds cold pages
    return tuple(median(one[part] / deals for one in rest) * times for part, times in parts.items())
