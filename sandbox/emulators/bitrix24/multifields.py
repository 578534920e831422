"""Phones, e-mails and other fields of several typed values.

https://apidocs.bitrix24.com/api-reference/crm/data-types.html#crm_multifield
"""

import re
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.entities import Entity
from sandbox.emulators.bitrix24.params import as_list, as_map, is_yes
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.table import Row

KINDS = ("PHONE", "EMAIL", "WEB", "IM")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+$")


def write_legacy(portal: EmulatedPortal, kind: str, *, kept: list[Row], written: Any) -> list[Row]:
    """Apply a written PHONE or EMAIL: no ID adds (even a known value), an ID edits, no VALUE deletes."""
    rows = [dict(row) for row in kept]
    for part in as_list(written):
        change = as_map(part)
        known = next((row for row in rows if str(row["ID"]) == str(change.get("ID", ""))), None)
        if known is None:
            _append(portal, rows, kind=kind, change=change)
        elif is_yes(change.get("DELETE")) or not change.get("VALUE"):
            rows.remove(known)
        else:
            known.update({key: change[key] for key in ("VALUE", "VALUE_TYPE") if key in change})
    return rows


def write_item(portal: EmulatedPortal, row: Row, *, written: Any) -> Row:
    """Apply a written `fm`: `n0, n1…` and list members add, an ID edits or, with no value, deletes."""
    changed: Row = {}
    pieces = (
        as_map(written).items() if isinstance(written, dict) else [("n", part) for part in as_list(written)]
    )
    for key, part in pieces:
        piece = as_map(part)
        kind = str(piece.get("typeId") or _kind_of(row, key) or "")
        if kind not in KINDS:
            continue
        legacy = {"VALUE": piece.get("value", ""), "VALUE_TYPE": piece.get("valueType", "WORK")}
        legacy |= {"ID": key} if key.isdigit() and isinstance(written, dict) else {}
        changed[kind] = write_legacy(
            portal, kind, kept=changed.get(kind) or row.get(kind) or [], written=[legacy]
        )
    return changed


def show_item(row: Row) -> list[dict[str, Any]]:
    """All values of a record as `fm`."""
    return [
        {"id": int(one["ID"]), "typeId": kind, "valueType": one["VALUE_TYPE"], "value": one["VALUE"]}
        for kind in KINDS
        for one in row.get(kind) or []
    ]


def flags(entity: Entity, values: Row) -> Row:
    """HAS_PHONE and HAS_EMAIL for the multifields among the written values."""
    pairs = (("PHONE", "HAS_PHONE"), ("EMAIL", "HAS_EMAIL"))
    return {
        flag: "Y" if values[kind] else "N" for kind, flag in pairs if flag in entity.fields and kind in values
    }


def _append(portal: EmulatedPortal, rows: list[Row], *, kind: str, change: dict[str, Any]) -> None:
    value = str(change.get("VALUE") or "")
    if not value:
        return
    if kind == "EMAIL" and not _EMAIL.match(value):
        raise ApiError("ERROR_CORE", "Некорректный e-mail<br>")
    value_type = str(change.get("VALUE_TYPE") or "WORK")
    new_id = str(portal.multifield_ids.next_id())
    rows.append({"ID": new_id, "VALUE_TYPE": value_type, "VALUE": value, "TYPE_ID": kind})


def _kind_of(row: Row, value_id: str) -> str | None:
    return next((kind for kind in KINDS for one in row.get(kind) or [] if str(one["ID"]) == value_id), None)
