"""10 000 webhooks at once while the workers are busy, and a steady stream beside them."""

from __future__ import annotations

from typing import Any

from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.ground import Ground
from sandbox.benchmarks.serving import OURS, load
from sandbox.benchmarks.staging import staged

CONNECTIONS = 64
OFFERED = 200.0


def run(ground: Ground) -> Findings:
    """All at once first; then rounds of a stream of 200 a second, while the workers drain what came."""
    findings = Findings(
        rows=[("database", "all at once", "accepted", "stored", "stream, p50", "stream, p99", "longest")]
    )
    for engine in ground.engines:
        _run_on(ground, engine, findings)
    findings.notes.append(
        f"All at once: {CONNECTIONS} connections. The stream: {OFFERED:.0f} webhooks a second offered for "
        f"{ground.scale.seconds:.0f} s, a wait counted from the moment each one was due. The workers carry "
        f"deals meanwhile, at {ground.scale.per_minute} requests a minute to each portal."
    )
    return findings


def _run_on(ground: Ground, engine: str, findings: Findings) -> None:
    scale = ground.scale
    with staged(ground, engine=engine, requests_per_minute=scale.per_minute, burst=1) as play:
        streamed = int(OFFERED * scale.seconds)
        ids = play.seed(scale.deals + streamed * scale.rounds, is_silent=True)
        first = int(ids[0])
        flood = load(play.web_port, OURS, first=first, connections=CONNECTIONS, count=scale.deals)
        streams: list[dict[str, Any]] = []
        for number in range(scale.rounds):
            start = first + scale.deals + number * streamed
            told = load(
                play.web_port, OURS, first=start, connections=CONNECTIONS, rate=OFFERED, count=streamed
            )
            streams.append(told)
            ground.say(f"{engine}, stream {number + 1}: p99 {told['p99'] * 1000:.0f} ms")
        stored = play.inside("events")["events"]
    stream = {name: median(told[name] for told in streams) for name in ("p50", "p99", "longest")}
    lost = sum(told["sent"] for told in (flood, *streams)) - stored
    findings.figures += [
        Figure(f"Intake under work on {engine}: {scale.deals} at once", flood["seconds"], "s", most=60),
        Figure(f"Intake under work on {engine}: lost", lost, most=0, digits=0),
        Figure(
            f"Intake under work on {engine}: p99 at {OFFERED:.0f}/s",
            stream["p99"] * 1000,
            "ms",
            most=50,
            digits=0,
        ),
    ]
    accepted = sum(told["accepted"] for told in (flood, *streams))
    waits = [f"{stream[name] * 1000:.0f} ms" for name in ("p50", "p99", "longest")]
    findings.rows.append((engine, f"{flood['seconds']:.1f} s", accepted, stored, *waits))
    findings.counts[engine] = {"lost": lost, "refused": len(ids) - accepted}
