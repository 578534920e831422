"""A list of 100 000 elements: requests, memory and rows a second. MEASURE=1 runs it (minutes, not seconds).

MEASURE=1 .venv/bin/python -m pytest tests/directories/test_hundred_thousand.py -s
"""

from __future__ import annotations

import json
import math
import os
import time

import psutil
import pytest

from sync.models import DirectoryRun, Job, Object
from tests.directories.reference import Reference
from tests.processes import Site

ELEMENTS = int(os.environ.get("MEASURE_ELEMENTS", "100000"))
FEW = 10_000

pytestmark = [
    pytest.mark.skipif(not os.environ.get("MEASURE"), reason="takes minutes; MEASURE=1 runs it"),
    pytest.mark.timeout(1800),
]


def read(site: Site, portal: Reference) -> tuple[dict[str, int], float]:
    """Read the objects in a process of its own; its result and the most memory it took, in MB."""
    process = site.start("sync_directories", "--json", "city", "object")
    main, most = psutil.Process(process.child.pid), 0.0
    while process.child.poll() is None:
        most = max(most, main.memory_info().rss / 1e6)
        time.sleep(0.05)
    assert process.child.returncode == 0, process.output()
    text = process.output()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])["directories"]["object"], most


def test_a_large_list(site: Site, portal: Reference) -> None:
    portal.furnish(cities=40, objects=FEW)
    with site.orm():
        portal.configure(request_seconds=60)
    _, memory_of_few = read(site, portal)
    rows = [{"NAME": f"More {n}", "PROPERTY_637": "2001"} for n in range(ELEMENTS - FEW)]
    portal.add(77, rows)
    with site.orm():
        Object.objects.all().delete()
        DirectoryRun.objects.all().delete()
        Job.objects.all().delete()
    before = portal.requests()
    result, memory = read(site, portal)
    sent = portal.requests() - before
    assert result["created"] == ELEMENTS
    with site.orm():
        job = Job.objects.get(source_id="object")
        steps = {row.step: row for row in job.attempt_rows.all()}
        writing = (steps["write"].ended_at - steps["write"].started_at).total_seconds()
    again, memory_again = read(site, portal)
    assert again["unchanged"] == ELEMENTS
    fewest = math.ceil(math.ceil(ELEMENTS / 50) / 50)
    print(
        f"\n{site.engine}: {ELEMENTS} rows written in {writing:.1f} s = {ELEMENTS / writing:.0f}/s; "
        f"{sent} requests, fewest possible {fewest}; "
        f"memory {memory_of_few:.0f} MB for {FEW}, {memory:.0f} MB for {ELEMENTS}, "
        f"{memory_again:.0f} MB unchanged"
    )
    assert sent <= 1.05 * fewest
    assert memory - memory_of_few < 40
    assert ELEMENTS / writing >= 5_000 or site.engine == "sqlite"
