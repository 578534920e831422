"""Paging and ordering shared by every list method.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/list-methods-pecularities.html
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from itertools import islice
from typing import Any

from sandbox.emulators.bitrix24.answers import PAGE_SIZE, Page
from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.filters import Filter, fold
from sandbox.emulators.bitrix24.table import Row, Table

Show = Callable[[Row], Any]


def page_of_table(
    table: Table, wanted: Filter, *, order: list[tuple[Field, bool]], start: int, zone: tzinfo, show: Show
) -> Page:
    """One page of the matching rows; `order` is (field, descending) pairs, ID ascending when empty."""
    ids = wanted.candidates(table)
    by_id = not order or order[0][0].name == "ID"
    if by_id and order and order[0][1]:
        ids = ids[::-1]
    matching = (row for row in (table.rows[row_id] for row_id in ids) if wanted.matches(row))
    if by_id and start < 0:
        return Page([show(row) for row in islice(matching, PAGE_SIZE)], 0)
    rows = list(matching)
    if not by_id:
        _sort(rows, order, zone=zone)
    return page_of_rows(rows, start=start, show=show)


def page_of_rows(rows: list[Row], *, start: int, show: Show = dict) -> Page:
    """One page of rows already in order; -1 skips counting, so `total` is 0 and there is no `next`."""
    first = max(start, 0)
    shown = [show(row) for row in rows[first : first + PAGE_SIZE]]
    if start < 0:
        return Page(shown, 0)
    following = first + PAGE_SIZE
    return Page(shown, len(rows), following if following < len(rows) else None)


def read_order(fields: Mapping[str, Field], raw: Mapping[str, Any]) -> list[tuple[Field, bool]]:
    """`{"DATE_CREATE": "DESC"}` as pairs; unknown fields are ignored."""
    return [
        (fields[name], str(direction).upper().startswith("DESC"))
        for name, direction in raw.items()
        if name in fields
    ]


def _sort(rows: list[Row], order: list[tuple[Field, bool]], *, zone: tzinfo) -> None:
    for field, descending in reversed(order):
        rows.sort(key=lambda row, field=field: _key(field, row, zone=zone), reverse=descending)  # type: ignore[misc]


def _key(field: Field, row: Row, *, zone: tzinfo) -> tuple[bool, Any]:
    value = fold(field, row.get(field.name), zone=zone)
    return (value is not None, 0 if value is None else value)
