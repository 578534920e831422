"""Memory of worker and web as the work goes by: the part of it that is theirs alone, and their share of the
rest (PSS; proc_pid_smaps(5)).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings
from sandbox.benchmarks.installations import deals_installation
from sandbox.benchmarks.web_servers import OURS, load
from sandbox.demo import Process

PORTIONS = 4
MEBIBYTE = 1024.0


def run(context: Context) -> Findings:
    """Deals in four portions, then webhooks in four portions; memory is read after each."""
    if not Path("/proc/self/smaps_rollup").exists():
        return Findings(notes=["Skipped: this system does not show a process's share of memory."])
    portion = context.scale.deals // PORTIONS
    with deals_installation(context) as installation:
        worker, web = [], []
        for _ in range(PORTIONS):
            installation.drain(installation.seed(portion, is_silent=True))
            worker.append(memory_of(installation.worker))
        for number in range(PORTIONS):
            load(installation.web_port, OURS, first=10_000_000 + number * portion, count=portion)
            web.append(memory_of(installation.web))
    rows: list[Sequence[str]] = [
        ("after", "largest worker process", "whole cluster", "largest web process", "whole web")
    ]
    for number in range(PORTIONS):
        cells = [f"{value:.0f} MiB" for value in (*worker[number], *web[number])]
        rows.append((f"{(number + 1) * portion}", *cells))
    return Findings(
        figures=[
            Figure("Memory: largest worker process", worker[-1][0], "MiB", most=150, digits=0),
            Figure("Memory: largest web process", web[-1][0], "MiB", most=150, digits=0),
            Figure("Memory: worker, last ÷ second portion", worker[-1][1] / worker[1][1], most=1.1),
            Figure("Memory: web, last ÷ second portion", web[-1][1] / web[1][1], most=1.1),
        ],
        rows=rows,
        notes=["PSS of each process; the whole cluster is its supervisor, django-q2's three and 4 workers."],
    )


def memory_of(process: Process) -> tuple[float, float]:
    """MiB of its largest process, and of all in its tree."""
    sizes = [_pss(pid) for pid in _tree(process.child.pid)]
    return max(sizes), sum(sizes)


def _tree(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _pss(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    line = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(line[1]) / MEBIBYTE if line else 0.0
