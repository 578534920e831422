"""Rows of one kind in memory, with the few indexes that keep ten thousand of them quick."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]


class Table:
    """Rows by ID. IDs grow and are never given out twice; callers hold the portal's lock."""

    def __init__(self, *indexed: str) -> None:
        """Start empty; `indexed` names the text fields that are looked up by equality."""
        self.rows: dict[int, Row] = {}
        self.ids: list[int] = []
        self.last_id = 0
        self._indexes: dict[str, dict[str, set[int]]] = {name: defaultdict(set) for name in indexed}

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        """Rows in the order of their IDs."""
        return (self.rows[row_id] for row_id in self.ids)

    def next_id(self) -> int:
        """Take the next free ID."""
        self.last_id += 1
        return self.last_id

    def insert(self, row: Row) -> int:
        """Keep a row that already has its ID."""
        row_id = int(row["ID"])
        self.last_id = max(self.last_id, row_id)
        if row_id not in self.rows:
            insort(self.ids, row_id)
        self.rows[row_id] = row
        self._index(row, row)
        return row_id

    def get(self, row_id: int) -> Row | None:
        """The row, or None."""
        return self.rows.get(row_id)

    def update(self, row: Row, values: Row) -> None:
        """Change some fields of a kept row."""
        for name in self._indexes:
            if name in values:
                self._indexes[name][_folded(row.get(name))].discard(row["ID"])
        row.update(values)
        self._index(row, values)

    def remove(self, row_id: int) -> Row | None:
        """Forget a row and give it back."""
        row = self.rows.pop(row_id, None)
        if row is not None:
            del self.ids[bisect_left(self.ids, row_id)]
            for name, index in self._indexes.items():
                index[_folded(row.get(name))].discard(row_id)
        return row

    def lookup(self, name: str, value: str) -> list[int] | None:
        """IDs of the rows whose indexed field equals the value, or None when there is no such index."""
        index = self._indexes.get(name)
        return None if index is None else sorted(index.get(_folded(value), ()))

    def _index(self, row: Row, values: Row) -> None:
        for name, index in self._indexes.items():
            if name in values:
                index[_folded(row.get(name))].add(row["ID"])


def _folded(value: Any) -> str:
    return str(value or "").casefold()
