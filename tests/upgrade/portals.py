"""What a stand-in portal keeps, as JSON, and the way back: the same records under the same IDs.

It knows the portal's tables by name only, so that it serves the stand-in portals of both versions.
"""

from __future__ import annotations

import base64
from datetime import date, datetime, timedelta
from typing import Any

MOMENT, DAY = "$moment", "$day"
TABLES = ("comments", "product_rows", "stage_history", "multifield_ids")


def saved(portal: Any) -> dict[str, Any]:
    """All records, comments, files and list elements."""
    with portal.lock:
        files = sorted(portal.files._files.items())
        assert [file_id for file_id, _file in files] == list(range(901, 901 + len(files)))
        return {
            "entities": {str(key): _rows(entity.table) for key, entity in portal.entities.items()},
            "tables": {name: _rows(getattr(portal, name)) for name in TABLES},
            "lists": {str(key): _rows(one.elements) for key, one in portal.directory.lists.items()},
            "list_values": portal.directory.list_values.last_id,
            "files": [
                [file.name, base64.b64encode(file.content).decode(), file.is_disk] for _id, file in files
            ],
        }


def fill(portal: Any, content: dict[str, Any], *, later: timedelta) -> None:
    """Give a fresh portal that content, all its moments so much `later`."""
    with portal.lock:
        for key, kept in content["entities"].items():
            _insert(portal.entities[int(key)].table, kept, later)
        for name, kept in content["tables"].items():
            _insert(getattr(portal, name), kept, later)
        for key, kept in content["lists"].items():
            _insert(portal.directory.lists[int(key)].elements, kept, later)
        portal.directory.list_values.last_id = content["list_values"]
        for name, encoded, is_disk in content["files"]:
            portal.files.keep(name, encoded, is_disk=is_disk)
        for row in portal.comments:
            portal.comments_by_owner[row["ENTITY_TYPE"], row["ENTITY_ID"]].append(row["ID"])


def _rows(table: Any) -> dict[str, Any]:
    return {"last_id": table.last_id, "rows": [_plain(row) for row in table]}


def _insert(table: Any, kept: dict[str, Any], later: timedelta) -> None:
    for row in kept["rows"]:
        table.insert(_alive(row, later))
    table.last_id = kept["last_id"]


def _plain(value: Any) -> Any:
    """As JSON: moments and days are marked."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return {MOMENT: value.isoformat()}
    return {DAY: value.isoformat()} if isinstance(value, date) else value


def _alive(value: Any, later: timedelta) -> Any:
    if isinstance(value, list):
        return [_alive(one, later) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {MOMENT}:
        return datetime.fromisoformat(value[MOMENT]) + later
    if set(value) == {DAY}:
        return date.fromisoformat(value[DAY])
    return {name: _alive(one, later) for name, one in value.items()}
