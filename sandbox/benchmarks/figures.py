"""What a benchmark brings: figures with their targets, and a table of what was measured on the way."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number. `most` or `least` is its target, if it has one; `digits` after the point."""

    what: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    digits: int = 2

    @property
    def target(self) -> str:
        """The target in words; nothing when there is none."""
        if self.most is not None:
            return f"≤ {self.most:g} {self.unit}".strip()
        return f"≥ {self.least:g} {self.unit}".strip() if self.least is not None else ""

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.most is not None:
            return round(self.value, self.digits) <= self.most
        return None if self.least is None else round(self.value, self.digits) >= self.least

    @property
    def shown(self) -> str:
        """The number as it is printed."""
        return f"{self.value:,.{self.digits}f} {self.unit}".replace(",", " ").strip()


@dataclass
class Findings:
    """What one benchmark found: figures, the rows behind them, and what a reader should know.

    `rows` begins with the head of the table. `counts` is what must hold at any size (requests, lost,
    duplicates), for tests and programs.
    """

    figures: list[Figure] = field(default_factory=list)
    rows: list[Sequence[Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)


def median(values: Iterable[float]) -> float:
    """The middle one; 0 of none."""
    found = list(values)
    return statistics.median(found) if found else 0.0


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` (0.95) of all lie; 0 of none."""
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * share))] if found else 0.0
