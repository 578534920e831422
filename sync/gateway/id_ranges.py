"""Ranges of IDs, read side by side: pure, no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """IDs still to read: `after` < ID ≤ `up_to`."""

    after: int
    up_to: int

    @property
    def width(self) -> int:
        """How many IDs it can hold."""
        return self.up_to - self.after

    def halves(self) -> tuple[Range, Range]:
        """The same IDs in two."""
        middle = self.after + self.width // 2
        return Range(self.after, middle), Range(middle, self.up_to)


def cut(ranges: list[Range], *, pieces: int, page: int) -> list[Range]:
    """The same IDs in as many ranges as one request may ask; none is cut that fits on one page."""
    cuts = list(ranges)
    while len(cuts) < pieces:
        widest = max(cuts, key=lambda one: one.width)
        if widest.width <= page:
            break
        cuts.remove(widest)
        cuts += widest.halves()
    return cuts
