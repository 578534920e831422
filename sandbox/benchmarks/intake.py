"""Webhooks a second: ours against a bare DRF view that validates and inserts one row."""

from __future__ import annotations

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.installations import deals_installation
from sandbox.benchmarks.web_servers import BARE, OURS, load, start_bare

CONNECTIONS = 16


def run(context: Context) -> Findings:
    """The same gunicorn settings, the same database, in turn; on each engine at hand."""
    findings = Findings(
        rows=[("database", "ours, webhooks/s", "bare view, webhooks/s", "ours, p99", "bare, p99", "ratio")]
    )
    for engine in context.engines:
        _compare(context, engine, findings)
    findings.notes.append(
        f"{CONNECTIONS} connections kept alive; no worker runs; the sender is one Python process on the same "
        "machine. Ours checks the token, reads any shape of webhook, drops repeats and wakes a worker; the "
        "bare view has no middleware. The ratio is the median of the rounds' ratios."
    )
    return findings


def _compare(context: Context, engine: str, findings: Findings) -> None:
    names = ("ours", "bare")
    rates: dict[str, list[float]] = {name: [] for name in names}
    slowest: dict[str, list[float]] = {name: [] for name in names}
    lost = 0
    with deals_installation(context, engine=engine) as installation:
        installation.worker.stop()
        servers = {"ours": (installation.web_port, OURS), "bare": (start_bare(installation), BARE)}
        for number in range(context.scale.rounds):
            for name, (port, path) in servers.items():
                measured = load(
                    port,
                    path,
                    first=number * 1_000_000 + 1,
                    connections=CONNECTIONS,
                    seconds=context.scale.seconds,
                )
                rates[name].append(measured["per_second"])
                slowest[name].append(measured["p99"])
                lost += measured["sent"] - measured["accepted"]
            context.say(
                f"{engine}, round {number + 1}: ours {rates['ours'][-1]:.0f}, bare {rates['bare'][-1]:.0f}/s"
            )
        stored = installation.inside("events")["events"]
    ours, bare = (median(rates[name]) for name in names)
    # round by round: what else the machine does meets both
    ratio = median(mine / other for mine, other in zip(rates["ours"], rates["bare"], strict=True))
    tails = [f"{median(slowest[name]) * 1000:.0f} ms" for name in names]
    findings.figures.append(Figure(f"Intake on {engine}: ours ÷ a bare view", ratio, least=0.8))
    findings.rows.append((engine, f"{ours:.0f}", f"{bare:.0f}", *tails, f"{ratio:.2f}"))
    findings.counts[engine] = {"refused": lost, "stored": stored}
