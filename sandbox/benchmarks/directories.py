"""A list of a hundred thousand elements read into its table: requests, rows a second, memory."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings
from sandbox.benchmarks.installations import UNPACED, DealsInstallation
from sandbox.demo import Process, run_manage
from sandbox.emulators.bitrix24 import Emulator, start

EXAMPLE = "directories.yaml"
OBJECTS = 77
CITIES = {str(2001 + number): f"City {number}" for number in range(40)}
PAGE, COMMANDS = 50, 50
"""Elements of one answer, and answers of one request."""

SECONDS = 60
LOOK_EVERY = 0.05


def run(context: Context) -> Findings:
    """A tenth of the list first, for the memory; then all of it; then once more, with nothing to write."""
    findings = Findings(
        rows=[
            ("database", "rows", "seconds", "requests", "memory, a tenth", "memory, all", "memory, unchanged")
        ]
    )
    for engine in context.engines:
        with context.database(engine) as url, _portal() as emulator:
            _run_on(context, engine, findings, Reader(context, url, emulator))
    return findings


def _run_on(context: Context, engine: str, findings: Findings, reader: Reader) -> None:
    rows = context.scale.rows
    tenth = reader.read(rows // 10)
    whole = reader.read(rows - rows // 10)
    again = reader.read(0)
    fewest = math.ceil(math.ceil(rows / PAGE) / COMMANDS)
    written = whole["created"] / whole["seconds"]
    context.say(f"{engine}: {whole['created']} rows written in {whole['seconds']:.1f} s, {written:.0f}/s")
    findings.figures += [
        Figure(f"Directories on {engine}: requests ÷ fewest possible", whole["requests"] / fewest, most=1.05),
        Figure(f"Directories on {engine}: rows written a second", written, least=5000, digits=0),
        Figure(
            f"Directories on {engine}: memory for all, more than for a tenth",
            whole["memory"] - tenth["memory"],
            "MiB",
            most=40,
            digits=0,
        ),
    ]
    memory = [f"{one['memory']:.0f} MiB" for one in (tenth, whole, again)]
    findings.rows.append((engine, whole["created"], f"{whole['seconds']:.1f}", whole["requests"], *memory))
    findings.counts[engine] = {
        "created": tenth["created"] + whole["created"],
        "unchanged": again["unchanged"],
        "errors": sum(one["errors"] for one in (tenth, whole, again)),
        "requests": whole["requests"] - fewest,
    }


@contextmanager
def _portal() -> Iterator[Emulator]:
    """A portal whose objects are in one of forty cities."""
    emulator = start(bucket=None)
    listed = emulator.portal.directory.lists[OBJECTS]
    listed.fields["PROPERTY_637"]["DISPLAY_VALUES_FORM"] = dict(CITIES)
    try:
        yield emulator
    finally:
        emulator.stop()


class Reader:
    """An installation that reads the list, each time by a process of its own."""

    def __init__(self, context: Context, url: str, emulator: Emulator) -> None:
        self.emulator = emulator
        self.installation = DealsInstallation(folder=context.new_folder(), database_url=url)
        run_manage("migrate", "--verbosity", "0", environment=self.installation.environment)
        config = yaml.safe_load(Path("examples", EXAMPLE).read_text())
        [portal] = config["portals"]
        portal |= {"webhook_url": emulator.url, "request_seconds": SECONDS, **UNPACED}
        path = self.installation.folder / EXAMPLE
        path.write_text(yaml.safe_dump(config, allow_unicode=True))
        run_manage("import_config", str(path), environment=self.installation.environment)

    def read(self, more: int) -> dict[str, Any]:
        """Add so many elements and read all: what was counted, the `requests`, the `seconds` of writing, the
        most `memory` that the process took, in MiB.
        """
        element = {"IBLOCK_ID": OBJECTS, "PROPERTY_637": "2001"}
        self.emulator.add("elements", *({**element, "NAME": f"Object {n} of {more}"} for n in range(more)))
        before = self.emulator.stats()["requests"]
        process = Process.manage(
            *("sync_directories", "--json", "city", "object"),
            log=self.installation.folder / f"{more}.log",
            environment=self.installation.environment,
        )
        memory = _most_memory(process)
        if process.child.returncode:
            raise RuntimeError(process.output())
        text = process.output()
        result = json.loads(text[text.index("{") : text.rindex("}") + 1])["directories"]["object"]
        return {
            **result,
            **self.installation.inside("written"),
            "requests": int(self.emulator.stats()["requests"]) - int(before),
            "memory": memory,
        }


def _most_memory(process: Process) -> float:
    """MiB at the highest, by the kernel's own count (proc_pid_status(5)); 0 where it gives none."""
    status, last = Path(f"/proc/{process.child.pid}/status"), ""
    while process.child.poll() is None:
        now = status.read_text() if status.exists() else ""
        last = now if "VmHWM" in now else last
        time.sleep(LOOK_EVERY)
    peak = re.search(r"^VmHWM:\s+(\d+) kB", last, re.MULTILINE)
    return int(peak[1]) / 1024 if peak else 0.0
