"""New users a second: ours against a bare DRF view that validates and inserts one row."""

from __future__ import annotations

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.installations import deals_installation
from sandbox.benchmarks.intake import CONNECTIONS
from sandbox.benchmarks.web_servers import load, start_bare

OURS, BARE = "/users", "/people"
BODY = '{"full_name": "Иван Петров {n}", "phone": "+79161234567", "stage": "NEW"}'


def run(context: Context) -> Findings:
    """The same gunicorn settings, the same database, in turn; on each engine at hand."""
    findings = Findings(
        rows=[("database", "ours, users/s", "bare view, users/s", "ours, p99", "bare, p99", "ratio")]
    )
    for engine in context.engines:
        _compare(context, engine, findings)
    findings.notes.append(
        f"{CONNECTIONS} connections kept alive; no worker runs; the sender is one Python process on the same "
        "machine. Ours looks up the key, normalises the phone, and stores the user and the message about it "
        "in one transaction; the bare view knows no keys, has no middleware and stores one row."
    )
    return findings


def _compare(context: Context, engine: str, findings: Findings) -> None:
    rates: dict[str, list[float]] = {OURS: [], BARE: []}
    slowest: dict[str, list[float]] = {OURS: [], BARE: []}
    lost = accepted = 0
    with deals_installation(context, engine=engine) as installation:
        installation.worker.stop()
        json, key = "Content-Type: application/json", installation.inside("key")["key"]
        servers = {
            OURS: (installation.web_port, [json, f"X-Api-Key: {key}"]),
            BARE: (start_bare(installation), [json]),
        }
        for number in range(context.scale.rounds):
            for path, (port, headers) in servers.items():
                measured = load(
                    port,
                    path,
                    body=BODY,
                    headers=headers,
                    connections=CONNECTIONS,
                    seconds=context.scale.seconds,
                )
                rates[path].append(measured["per_second"])
                slowest[path].append(measured["p99"])
                lost += measured["sent"] - measured["accepted"]
                accepted += measured["accepted"] if path == OURS else 0
            context.say(
                f"{engine}, round {number + 1}: ours {rates[OURS][-1]:.0f}, bare {rates[BARE][-1]:.0f}/s"
            )
        stored = installation.inside("people")
    ours, bare = (median(rates[path]) for path in (OURS, BARE))
    tails = [f"{median(slowest[path]) * 1000:.0f} ms" for path in (OURS, BARE)]
    findings.figures.append(Figure(f"New users on {engine}: ours ÷ a bare view", ours / bare, least=0.6))
    findings.rows.append((engine, f"{ours:.0f}", f"{bare:.0f}", *tails, f"{ours / bare:.2f}"))
    findings.counts[engine] = {"refused": lost, "accepted": accepted, **stored}
