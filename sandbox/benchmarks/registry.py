"""The benchmarks by name. A new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.benchmarks import (
    directories,
    drain,
    growth,
    hosts,
    intake,
    memory,
    pages,
    peer,
    shares,
    underwork,
    users,
)
from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Findings


@dataclass(frozen=True)
class Benchmark:
    """What it measures, in one line, and how large it is by itself where it differs from the usual."""

    title: str
    run: Callable[[Context], Findings]
    deals: int = 10_000
    rounds: int = 3
    seconds: float = 8.0
    rows: int = 1_000_000


BENCHMARKS: Mapping[str, Benchmark] = {
    "drain": Benchmark("10 000 deals at a portal's limit", drain.run),
    "peer": Benchmark("Against a script on fast_bitrix24", peer.run),
    "intake": Benchmark("Webhooks a second against a bare DRF view", intake.run, rounds=9, seconds=3),
    "underwork": Benchmark("Webhooks while the workers are busy", underwork.run, seconds=20),
    "users": Benchmark("New users a second against a bare DRF view", users.run),
    "growth": Benchmark("A thousand and a million ended jobs", growth.run, deals=1000, rounds=5),
    "pages": Benchmark("The staff's pages with a million jobs", pages.run),
    "directories": Benchmark("A directory of 100 000 elements", directories.run, rows=100_000),
    "memory": Benchmark("Memory as the work goes by", memory.run),
    "hosts": Benchmark("Two worker hosts over one database", hosts.run, deals=3000, rounds=2),
    "shares": Benchmark("Fair shares and live deals first", shares.run, deals=6000),
}
