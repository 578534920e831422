"""Two worker hosts over one MariaDB: twice as fast where the portal is not the limit, and never over it."""

from __future__ import annotations

from typing import Any

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.installations import UNPACED, DealsInstallation, deals_installation
from sandbox.demo import prove

HOST = {"WORKERS": "2", "REQUESTS_AT_ONCE": "1"}
"""So small that the host is the limit, not the portal."""

SLOTS = 10
SLOW = 1.0
"""Seconds the portals take for each request: what a host waits for, so that more hosts wait side by side."""

PART = 4
"""The pace is tried at this part of the usual one: portals this slow would not meet the whole."""


def run(context: Context) -> Findings:
    """Rounds of one cluster and of two in turn; then two at a portal's pace."""
    if "mysql" not in context.engines:
        return Findings(notes=["Skipped: several hosts need MariaDB or MySQL (--mysql URL)."])
    emulator = ["--no-bucket", "--latency", str(SLOW)]
    with deals_installation(
        context, engine="mysql", emulator=emulator, settings=HOST, slots=SLOTS
    ) as installation:
        alone, together, unproven = _compare(context, installation)
        paced = _paced(context, installation)
        duplicates = installation.target.get("stats")["duplicates_by_origin"]
    gain = median(together) / median(alone)
    return Findings(
        figures=[
            Figure("Several hosts: two clusters ÷ one", gain, "×", least=1.8),
            Figure("Several hosts: most in a sliding minute ÷ allowed", paced, most=1.0, digits=4),
            Figure("Several hosts: duplicates", duplicates, most=0, digits=0),
        ],
        rows=[
            ("clusters", "deals/s"),
            ("one", f"{median(alone):.0f}"),
            ("two", f"{median(together):.0f}"),
        ],
        notes=[
            (
                f"{HOST['WORKERS']} workers a cluster, each with {HOST['REQUESTS_AT_ONCE']} request under "
                f"way; the portals take {SLOW:g} s a request, up to {SLOTS} at once. The pace is tried at "
                f"{context.scale.per_minute // PART} requests a minute."
            )
        ],
        counts={"duplicates": duplicates, "unproven": unproven},
    )


def _compare(context: Context, installation: DealsInstallation) -> tuple[list[float], list[float], int]:
    alone: list[float] = []
    together: list[float] = []
    unproven = 0
    for _ in range(context.scale.rounds):
        for rates, has_second in ((alone, False), (together, True)):
            second = installation.start_worker("second") if has_second else None
            if second:
                installation.inside("workers", count=2)
            ids = installation.seed(context.scale.deals, is_silent=True)
            rates.append(len(ids) / installation.drain(ids)["seconds"])
            unproven += 0 if prove(installation, ids).holds else 1
            if second:
                second.stop()
                installation.inside("forget_workers")
        context.say(f"one cluster {alone[-1]:.0f}, two {together[-1]:.0f} deals/s")
    return alone, together, unproven


def _paced(context: Context, installation: DealsInstallation) -> float:
    """Two clusters at a pace: the most requests in a sliding minute, as a share of those allowed."""
    allowed = context.scale.per_minute // PART
    installation.portal = {**UNPACED, "slots": SLOTS, "requests_per_minute": allowed, "burst": 1}
    installation.configure()
    second = installation.start_worker("second")
    installation.inside("workers", count=2)
    ids = installation.seed(context.scale.deals // PART, is_silent=True)
    installation.forget_counts()
    installation.drain(ids)
    second.stop()
    shares: list[Any] = [one["max_in_sliding_minute"] / allowed for one in installation.counts().values()]
    return float(max(shares))
