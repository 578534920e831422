"""Time and queries a deal, with a thousand ended jobs in the table and with a million."""

from __future__ import annotations

from typing import Any

from sync.benchmarks.figures import Figure, Findings, median
from sync.benchmarks.ground import Ground
from sync.benchmarks.staging import Staged, staged

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
    with staged(ground, engine=engine) as play:
        play.worker.stop()
        play.web.stop()
        few = _measured(ground, play, rows=FEW)
        many = _measured(ground, play, rows=ground.scale.rows)
    for rows, told in ((FEW, few), (ground.scale.rows, many)):
        findings.rows.append((engine, f"{rows:,}".replace(",", " "), *(f"{value:.2f}" for value in told)))
    findings.figures += [
        Figure(f"Growth on {engine}: time a deal, many ÷ few", many[0] / few[0], most=1.2),
        Figure(f"Growth on {engine}: queries a deal, many ÷ few", many[2] / few[2], most=1.05),
    ]
    findings.counts[engine] = {"queries": (few[2], many[2])}


def _measured(ground: Ground, play: Staged, *, rows: int) -> tuple[float, float, float]:
    """Milliseconds, processor milliseconds and queries a deal; the median of the rounds."""
    play.inside("fill", rows=rows)
    told: list[dict[str, Any]] = []
    for _ in range(ground.scale.rounds + 1):
        ids = play.seed(ground.scale.deals, is_silent=True)
        told.append(play.drain(ids, work="drive"))
    ground.say(f"{rows} ended jobs: {[round(one['seconds'] / len(ids) * 1000, 2) for one in told]} ms a deal")
    parts = ("seconds", "processor_seconds", "queries")
    rest = told[1:]  # the first one finds cold pages
    seconds, processor, queries = (median(one[part] / len(ids) for one in rest) for part in parts)
    return seconds * 1000, processor * 1000, queries
