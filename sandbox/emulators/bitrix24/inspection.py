"""What a portal really holds, for tests to check: whole content, no paging, no links."""

import hashlib
from collections import Counter
from typing import Any

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.entities import COMPANY, CONTACT, DEAL, LEAD, Entity
from sandbox.emulators.bitrix24.legacy import get_names, show_row
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.productrows import show_legacy
from sandbox.emulators.bitrix24.products import owned
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.timeline import show as show_comment

_LINKS = ("CONTACT_IDS", "COMPANY_IDS")
KINDS = {"deals": DEAL, "contacts": CONTACT, "companies": COMPANY, "leads": LEAD}


def records(portal: EmulatedPortal, kind: str, *, originator: str | None = None) -> list[Row]:
    """Every record of a kind under its old names, with links, product rows and a summary of each file."""
    entity = portal.entities[KINDS[kind]]
    with portal.lock:
        rows = [row for row in entity.table if originator is None or row.get("ORIGINATOR_ID") == originator]
        return [_record(portal, entity, row=row) for row in rows]


def comments(portal: EmulatedPortal, deal_id: int | None = None) -> list[Row]:
    """Comments of one deal or of all records, oldest first, with a summary of each file."""
    with portal.lock:
        rows = list(portal.comments) if deal_id is None else portal.comment_rows("deal", deal_id)
        return [show_comment(portal, row) | {"FILES": _files(portal, row["FILES"])} for row in rows]


def duplicates_by_origin(portal: EmulatedPortal) -> int:
    """How many deals are superfluous: those that share a non-empty origin with an earlier one."""
    with portal.lock:
        origins = Counter(
            (row.get("ORIGINATOR_ID"), row["ORIGIN_ID"]) for row in portal.deals if row.get("ORIGIN_ID")
        )
    return sum(count - 1 for count in origins.values())


def stats(portal: EmulatedPortal) -> dict[str, Any]:
    """The counters and the number of duplicated deals."""
    return portal.stats.snapshot() | {"duplicates_by_origin": duplicates_by_origin(portal)}


def _record(portal: EmulatedPortal, entity: Entity, *, row: Row) -> Row:
    shown = show_row(portal, entity, row=row, actor=Actor(), names=get_names(entity))
    for field in entity.fields.values():
        if field.kind == "file":
            kept = row.get(field.name)
            shown[field.name] = _files(portal, kept if field.is_multiple else [kept] if kept else [])
    shown |= {name: list(row.get(name) or []) for name in _LINKS if name in entity.fields}
    return shown | {
        "PRODUCT_ROWS": [show_legacy(one) for one in owned(portal, entity.letter, owner_id=row["ID"])]
    }


def _files(portal: EmulatedPortal, file_ids: list[int] | None) -> list[Row]:
    stored = (portal.files.get(file_id) for file_id in file_ids or [])
    return [
        {
            "id": f.file_id,
            "name": f.name,
            "size": len(f.content),
            "sha256": hashlib.sha256(f.content).hexdigest(),
        }
        for f in stored
        if f is not None
    ]
