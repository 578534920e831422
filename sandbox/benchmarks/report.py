"""Findings in words: lines for a terminal, and their section of docs/performance.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sandbox.benchmarks.figures import Figure, Findings


def lines(findings: Findings) -> Iterator[str]:
    """The figures, the rows behind them, the notes."""
    for figure in findings.figures:
        yield f"  {_mark(figure)} {figure.what}: {figure.shown}{_target(figure)}"
    if findings.rows:
        widths = [
            max(len(str(row[column])) for row in findings.rows) for column in range(len(findings.rows[0]))
        ]
        for row in findings.rows:
            yield "    " + "  ".join(str(cell).rjust(width) for cell, width in zip(row, widths, strict=True))
    yield from (f"    {note}" for note in findings.notes)


def write(path: Path, name: str, *, title: str, findings: Findings, machine: str) -> None:
    """Replace the section between the benchmark's marks, or add one at the end."""
    begin, end = f"<!-- bench {name} -->", f"<!-- /bench {name} -->"
    section = f"{begin}\n{_markdown(name, title, findings, machine)}\n{end}"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if pattern.search(text):
        text = pattern.sub(lambda _: section, text)
    else:
        text = f"{text.rstrip()}\n\n{section}\n".lstrip()
    path.write_text(text, encoding="utf-8")


def _markdown(name: str, title: str, findings: Findings, machine: str) -> str:
    parts = [f"### {title}", f"`manage.py bench {name}` · {machine}"]
    if findings.figures:
        head = ["| figure | measured | target | |", "|---|---|---|---|"]
        rows = [f"| {one.what} | {one.shown} | {one.target} | {_word(one)} |" for one in findings.figures]
        parts.append("\n".join([*head, *rows]))
    if findings.rows:
        head_row, *rest = findings.rows
        table = [_cells(head_row), "|---" * len(head_row) + "|", *(_cells(row) for row in rest)]
        parts.append("\n".join(table))
    return "\n\n".join([*parts, *findings.notes])


def _cells(row: object) -> str:
    return "| " + " | ".join(str(cell) for cell in row) + " |"  # type: ignore[attr-defined]


def _word(figure: Figure) -> str:
    return {True: "reached", False: "**not reached**", None: ""}[figure.is_reached]


def _mark(figure: Figure) -> str:
    return {True: "+", False: "-", None: " "}[figure.is_reached]


def _target(figure: Figure) -> str:
    return f" (target {figure.target})" if figure.target else ""
