"""Phones, e-mails and the like: many values of many kinds in one field `fm`.

Adding a value that is there already doubles it.
https://apidocs.bitrix24.com/api-reference/crm/data-types.html
"""

from collections.abc import Mapping
from typing import Any

from sync.connectors.bitrix24.crm.names import MULTIFIELDS

Row = dict[str, str]
"""`{"ID", "VALUE", "VALUE_TYPE"}`; without ID it is a new one."""


def as_lists(fm: Any) -> dict[str, list[Row]]:
    """`fm` of a fetched record as `{"PHONE": [rows], "EMAIL": [rows]}`; nothing when the answer had no
    `fm`.
    """
    lists: dict[str, list[Row]] = {}
    for row in fm if isinstance(fm, list) else []:
        kept = {"ID": str(row["id"]), "VALUE": str(row["value"]), "VALUE_TYPE": str(row["valueType"])}
        lists.setdefault(str(row["typeId"]), []).append(kept)
    return lists


def as_added(fields: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows for a new record."""
    return [_written(name, row) for name, row in _rows(fields) if row.get("VALUE")]


def _rows(fields: Mapping[str, Any]) -> list[tuple[str, Row]]:
    return [(name, row) for name in MULTIFIELDS for row in fields.get(name) or []]


def _written(name: str, row: Row) -> dict[str, str]:
    return {"typeId": name, "valueType": row.get("VALUE_TYPE") or "WORK", "value": row["VALUE"]}
