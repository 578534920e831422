"""The machine a figure belongs to."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import django

from sandbox.benchmarks.context import Context, version_of


def described(context: Context) -> str:
    """Processor, memory, system, versions, day."""
    parts = [
        f"{os.cpu_count()} × {_processor()}",
        f"{_memory():.0f} GiB",
        f"{platform.system()} {platform.release().partition('-')[0]}",
        f"Python {platform.python_version()}",
        f"Django {django.get_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    if "mysql" in context.engines:
        parts.append(version_of(context.mysql_url))
    return f"{', '.join(parts)}; {datetime.now(UTC):%Y-%m-%d}"


def load() -> float:
    """Processes that want to run, on average of the last minute: what else disturbs a figure."""
    return os.getloadavg()[0]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return name[1].strip() if name else platform.processor() or platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
