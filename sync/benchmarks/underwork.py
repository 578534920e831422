"""10 000 webhooks at once while the workers are busy, and a steady stream beside them."""

from __future__ import annotations

from sync.benchmarks.figures import Figure, Findings
from sync.benchmarks.ground import Ground
from sync.benchmarks.serving import OURS, load
from sync.benchmarks.staging import staged

CONNECTIONS = 64
OFFERED = 200.0


def run(ground: Ground) -> Findings:
    """All at once first; then a stream of 200 a second, with the workers draining what came before."""
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
        ids = play.seed(scale.deals + streamed, is_silent=True)
        first = int(ids[0])
        flood = load(play.web_port, OURS, first=first, connections=CONNECTIONS, count=scale.deals)
        stream = load(
            play.web_port,
            OURS,
            first=first + scale.deals,
            connections=CONNECTIONS,
            rate=OFFERED,
            count=streamed,
        )
        stored = play.inside("events")["events"]
    ground.say(f"{engine}: {flood['seconds']:.1f} s for all, p99 {stream['p99'] * 1000:.0f} ms in the stream")
    lost = flood["sent"] + stream["sent"] - stored
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
    accepted = flood["accepted"] + stream["accepted"]
    waits = [f"{stream[name] * 1000:.0f} ms" for name in ("p50", "p99", "longest")]
    findings.rows.append((engine, f"{flood['seconds']:.1f} s", accepted, stored, *waits))
    findings.counts[engine] = {"lost": lost, "refused": scale.deals + streamed - accepted}
