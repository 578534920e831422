"""10 000 webhooks at once while the workers are busy, and a steady stream beside them."""

from __future__ import annotations

from typing import Any

from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.ground import Ground
from sandbox.benchmarks.installations import deals_installation
from sandbox.benchmarks.serving import OURS, load

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
    with deals_installation(
        ground, engine=engine, requests_per_minute=scale.per_minute, burst=1
    ) as installation:
        streamed = int(OFFERED * scale.seconds)
        ids = installation.seed(scale.deals + streamed * scale.rounds, is_silent=True)
        first = int(ids[0])
        flood = load(installation.web_port, OURS, first=first, connections=CONNECTIONS, count=scale.deals)
        streams: list[dict[str, Any]] = []
        for number in range(scale.rounds):
            start = first + scale.deals + number * streamed
            message = load(
                installation.web_port,
                OURS,
                first=start,
                connections=CONNECTIONS,
                rate=OFFERED,
                count=streamed,
            )
            streams.append(message)
            ground.say(f"{engine}, stream {number + 1}: p99 {message['p99'] * 1000:.0f} ms")
        stored = installation.inside("events")["events"]
    stream = {name: median(message[name] for message in streams) for name in ("p50", "p99", "longest")}
    lost = sum(message["sent"] for message in (flood, *streams)) - stored
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
    accepted = sum(message["accepted"] for message in (flood, *streams))
    waits = [f"{stream[name] * 1000:.0f} ms" for name in ("p50", "p99", "longest")]
    findings.rows.append((engine, f"{flood['seconds']:.1f} s", accepted, stored, *waits))
    findings.counts[engine] = {"lost": lost, "refused": len(ids) - accepted}
