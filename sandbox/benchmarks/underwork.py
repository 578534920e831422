"""10 000 webhooks at once while the workers are busy, and a steady stream beside them."""

from __future__ import annotations

from typing import Any

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.installations import deals_installation
from sandbox.benchmarks.web_servers import OURS, load

CONNECTIONS = 64
OFFERED = 200.0


def run(context: Context) -> Findings:
    """All at once first; then rounds of a stream of 200 a second, while the workers drain what came."""
    findings = Findings(
        rows=[("database", "all at once", "accepted", "stored", "stream, p50", "stream, p99", "longest")]
    )
    for engine in context.engines:
        _run_on(context, engine, findings)
    findings.notes.append(
        f"All at once: {CONNECTIONS} connections. The stream: {OFFERED:.0f} webhooks a second offered for "
        f"{context.scale.seconds:.0f} s, a wait counted from the moment each one was due. The workers send "
        f"deals meanwhile, at {context.scale.per_minute} requests a minute to each portal."
    )
    return findings


def _run_on(context: Context, engine: str, findings: Findings) -> None:
    scale = context.scale
    with deals_installation(
        context, engine=engine, requests_per_minute=scale.per_minute, burst=1
    ) as installation:
        streamed = int(OFFERED * scale.seconds)
        ids = installation.seed(scale.deals + streamed * scale.rounds, is_silent=True)
        first = int(ids[0])
        flood = load(installation.web_port, OURS, first=first, connections=CONNECTIONS, count=scale.deals)
        streams: list[dict[str, Any]] = []
        for number in range(scale.rounds):
            start = first + scale.deals + number * streamed
            measured = load(
                installation.web_port,
                OURS,
                first=start,
                connections=CONNECTIONS,
                rate=OFFERED,
                count=streamed,
            )
            streams.append(measured)
            context.say(f"{engine}, stream {number + 1}: p99 {measured['p99'] * 1000:.0f} ms")
        stored = installation.inside("events")["events"]
    stream = {name: median(measured[name] for measured in streams) for name in ("p50", "p99", "longest")}
    lost = sum(measured["sent"] for measured in (flood, *streams)) - stored
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
    accepted = sum(measured["accepted"] for measured in (flood, *streams))
    waits = [f"{stream[name] * 1000:.0f} ms" for name in ("p50", "p99", "longest")]
    findings.rows.append((engine, f"{flood['seconds']:.1f} s", accepted, stored, *waits))
    findings.counts[engine] = {"lost": lost, "refused": len(ids) - accepted}
