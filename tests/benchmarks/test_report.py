"""Figures against their targets, and their section in the document."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.benchmarks import report
from sandbox.benchmarks.figures import Figure, Findings, median, percentile
from sandbox.benchmarks.installations import fewest_requests
from sandbox.benchmarks.load import LoadGenerator, LoadSpec
from sandbox.emulators.bitrix24 import start


@pytest.mark.parametrize(
    ("figure", "reached", "target"),
    [
        (Figure("a", 1.04, most=1.05), True, "≤ 1.05"),
        (Figure("a", 1.054, most=1.05), True, "≤ 1.05"),
        (Figure("a", 1.06, most=1.05), False, "≤ 1.05"),
        (Figure("a", 41, "×", least=40), True, "≥ 40 ×"),
        (Figure("a", 39, "×", least=40), False, "≥ 40 ×"),
        (Figure("a", 3), None, ""),
    ],
)
def test_a_target_is_reached_or_not(figure, reached, target):
    assert figure.is_reached is reached
    assert figure.target == target


def test_numbers_are_readable():
    assert Figure("a", 12345.6, "ms", digits=0).shown == "12 346 ms"


def test_middle_and_tail():
    assert median([3, 1, 2]) == 2
    assert median([]) == 0
    assert percentile(range(100), 0.95) == 95
    assert percentile([], 0.95) == 0


def test_ten_thousand_deals_need_604_requests():
    assert fewest_requests(10_000) == {"source": 404, "target": 200}
    assert fewest_requests(1) == {"source": 3, "target": 1}


def test_a_section_is_replaced_and_its_neighbours_stay(tmp_path: Path):
    path = tmp_path / "performance.md"
    path.write_text("# Performance\n\nWords.\n", encoding="utf-8")
    for name, value in (("drain", 1.0), ("peer", 2.0), ("drain", 3.0)):
        findings = Findings(
            figures=[Figure("speed", value, most=2)], rows=[("a", "b"), (1, 2)], notes=["So."]
        )
        report.write(path, name, title=name.title(), findings=findings, machine="2 × CPU")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Performance\n\nWords.\n")
    assert text.count("### Drain") == text.count("### Peer") == 1
    assert "| speed | 3.00 | ≤ 2 | **not reached** |" in text
    assert "| speed | 2.00 | ≤ 2 | reached |" in text
    assert "| 1 | 2 |" in text


def test_a_load_offers_what_it_was_told():
    """A count at a rate; a refusal is an answer, too."""
    emulator = start()
    message = LoadGenerator(
        LoadSpec(emulator.port, "/emulator/stats/reset", "{n}", connections=2, count=20, rate=100)
    ).run()
    emulator.stop()
    assert message["statuses"] == {400: 20}
    assert message["sent"] == 20
    assert message["seconds"] >= 0.18
