"""Reference data of a Bitrix24 portal: the methods that list it, each with its way of paging.

Pure: builders of commands and readers of answers. A list property comes in three shapes (a text, a list, an
object of value ID → value); `plain` reads all of them.
https://apidocs.bitrix24.com/api-reference/lists/index.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sync.connectors.bitrix24.crm.shapes import Row, php_map, rows_of
from sync.connectors.types import Command

PAGE = 50
WITHOUT_COUNT = -1

Params = Mapping[str, Any]
Paging = Literal["whole", "offset", "ranges"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One method that lists records.

    `paging`: all at once, by offset (it has no filter by ID), or by ranges of IDs. `needs`: parameters
    without which it cannot work. `key`, `name`: the fields with a record's ID and name. `read`: an answer's
    value and the parameters to rows.
    """

    method: str
    paging: Paging
    key: str = "ID"
    needs: tuple[str, ...] = ()
    fixed: Mapping[str, Any]
    read: Callable[[Any, Params], list[Row]]

    def page(self, params: Params, start: int) -> Command:
        """The page that begins at `start`, by ascending ID."""
        paged = {"start": start} if self.paging == "offset" else {}
        return Command(self.method, {**params, **self.fixed, **paged})

    def newest(self, params: Params) -> Command:
        """The records with the largest IDs."""
        return self._items(params, {}, "DESC")

    def between(self, params: Params, after: int, up_to: int) -> Command:
        """The first records with `after` < ID ≤ `up_to`, by ID."""
        return self._items(params, {">id": after, "<=id": up_to}, "ASC")

    def _items(self, params: Params, conditions: Params, direction: str) -> Command:
        wanted = {**(params.get("filter") or {}), **conditions}
        order = {"order": {"id": direction}, "start": WITHOUT_COUNT}
        return Command(self.method, {**params, **self.fixed, **order, "filter": wanted})


def labels(params: Params) -> Command:
    """All fields of the list whose elements `params` ask for; read with `read_labels`."""
    named = {key: value for key, value in params.items() if key.startswith(("IBLOCK_", "SOCNET_"))}
    return Command("lists.field.get", named)


def read_labels(value: Any) -> dict[str, dict[str, str]]:
    """Field → choice's ID → its text, for the fields that have choices."""
    return {
        str(row.get("FIELD_ID") or key): _choices(row)
        for key, row in php_map(value).items()
        if isinstance(row, Mapping) and row.get("DISPLAY_VALUES_FORM")
    }


def plain(value: Any) -> str:
    """The text of a value, the first of several; "" for what is empty."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        texts = [plain(one) for one in value]
        return next(filter(None, texts), "")
    if value is None or value is False:
        return ""
    return "Y" if value is True else str(value).strip()


def _choices(row: Mapping[str, Any]) -> dict[str, str]:
    return {str(number): str(text) for number, text in php_map(row.get("DISPLAY_VALUES_FORM") or []).items()}


def _bare(value: Any, _: Params) -> list[Row]:
    return rows_of(value)


def _items_of(value: Any, _: Params) -> list[Row]:
    return rows_of(value, "items")


def _choices_of(value: Any, params: Params) -> list[Row]:
    """One field comes alone, keyed by its type; all fields by their names."""
    wanted = str(params.get("FIELD_ID") or "")
    fields = [row for row in php_map(value).values() if isinstance(row, Mapping)]
    return [
        {"ID": number, "NAME": text}
        for row in fields
        if str(row.get("FIELD_ID", wanted)) == wanted
        for number, text in _choices(row).items()
    ]


LIST = ("IBLOCK_TYPE_ID",)
SOURCES: dict[str, Source] = {
    "lists.element.get": Source(
        method="lists.element.get",
        paging="offset",
        needs=LIST,
        fixed={"ELEMENT_ORDER": {"ID": "ASC"}},
        read=_bare,
    ),
    "lists.field.get": Source(
        method="lists.field.get", paging="whole", needs=(*LIST, "FIELD_ID"), fixed={}, read=_choices_of
    ),
    "crm.item.list": Source(
        method="crm.item.list",
        paging="ranges",
        key="id",
        needs=("entityTypeId",),
        fixed={"useOriginalUfNames": "Y"},
        read=_items_of,
    ),
    "crm.status.list": Source(
        method="crm.status.list",
        paging="whole",
        key="STATUS_ID",
        fixed={"order": {"SORT": "ASC"}},
        read=_bare,
    ),
    "user.get": Source(method="user.get", paging="offset", fixed={"sort": "ID", "order": "ASC"}, read=_bare),
    "department.get": Source(
        method="department.get", paging="offset", fixed={"sort": "ID", "order": "ASC"}, read=_bare
    ),
}
"""What a directory may be read by. https://apidocs.bitrix24.com/api-reference/user/user-get.html"""
