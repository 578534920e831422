"""Rows with parents: circles are found, and parents come before their children. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")


def in_circle(start: T, parent_of: Callable[[T], T | None]) -> bool:
    """Whether the way from one to its parent, and on to theirs, ever comes back."""
    seen: set[T] = set()
    one: T | None = start
    while one is not None and one not in seen:
        seen.add(one)
        one = parent_of(one)
    return one is not None


def parents_first(
    rows: Iterable[T], *, key: Callable[[T], Hashable], parent: Callable[[T], Hashable]
) -> list[T]:
    """Parents before their children, otherwise in the order given; a circle is left as it is.

    `key`: what a row is; `parent`: the key of its parent.
    """
    left = {key(row): row for row in rows}
    ordered: list[T] = []
    while left:
        ready = [row for row in left.values() if parent(row) not in left] or list(left.values())
        ordered += ready
        for row in ready:
            del left[key(row)]
    return ordered
