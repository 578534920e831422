"""The universal methods `crm.item.*`, for any kind of record.

https://apidocs.bitrix24.com/api-reference/crm/universal/index.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sync.connectors.bitrix24.crm.multifields import as_added, as_lists
from sync.connectors.bitrix24.crm.names import DATES, LINKS, MULTIFIELDS, item_name, upper_name
from sync.connectors.bitrix24.crm.shapes import added_id, rows_of
from sync.connectors.bitrix24.crm.values import as_kept, as_written, plain_date
from sync.connectors.types import Command, ListedRecord, Record
from sync.errors import NeedsStaff
from sync.i18n import gettext as _

PAGE = 50
NO_FIELDS = frozenset({"fm", "entityTypeId"})
ORIGINAL_NAMES = {"useOriginalUfNames": "Y"}
WITHOUT_COUNT = -1
"""Counting makes long lists slow: https://apidocs.bitrix24.com/settings/performance/huge-data.html"""


def list_items(kind: int, conditions: Mapping[str, Any], *, select: Sequence[str] = ("*",)) -> Command:
    """At most 50 records that meet the conditions (`{">id": 5}`), by ascending ID."""
    return Command(
        "crm.item.list",
        {
            "entityTypeId": kind,
            "filter": dict(conditions),
            "order": {"id": "ASC"},
            "select": list(select),
            "start": WITHOUT_COUNT,
            **ORIGINAL_NAMES,
        },
    )


def items_by_ids(kind: int, ids: Sequence[str]) -> Command:
    """Up to 50 whole records by ID; the missing ones are deleted or not visible to the webhook's owner."""
    if not 1 <= len(ids) <= PAGE:
        raise ValueError(f"1 to {PAGE} IDs, not {len(ids)}")
    return list_items(kind, {"@id": list(ids)})


def items_by_origin(kind: int, originator: str, origin_ids: Sequence[str]) -> Command:
    """Records that carry one of up to 50 origin IDs of one originator."""
    if not 1 <= len(origin_ids) <= PAGE:
        raise ValueError(f"1 to {PAGE} origin IDs, not {len(origin_ids)}")
    conditions = {"=originatorId": originator, "@originId": list(origin_ids)}
    return list_items(kind, conditions, select=("id", "originId"))


def add_item(kind: int, fields: Mapping[str, Any]) -> Command:
    """Create a record from upper-case fields."""
    written = as_fields(kind, fields)
    if rows := as_added(fields):
        written["fm"] = rows
    return Command("crm.item.add", {"entityTypeId": kind, "fields": written, **ORIGINAL_NAMES})


def update_item(kind: int, record_id: str, fields: Mapping[str, Any]) -> Command:
    """Change the given upper-case fields of a record; "" clears one. Files not named are deleted by the
    portal.
    """
    params = {
        "entityTypeId": kind,
        "id": record_id,
        "fields": as_fields(kind, fields),
        **ORIGINAL_NAMES,
    }
    return Command("crm.item.update", params)


def as_fields(kind: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Upper-case fields as the portal takes them, without phones and e-mails, which go another way."""
    return {
        item_name(name, kind): as_written(
            plain_date(value) if name in DATES and isinstance(value, str) else value
        )
        for name, value in fields.items()
        if name not in MULTIFIELDS
    }


def read_items(kind: int, value: Any) -> dict[str, Record]:
    """Records by ID from the answer of a list, in its order."""
    records = (read_item(kind, item) for item in rows_of(value, "items"))
    return {record["ID"]: record for record in records}


def read_item(kind: int, item: Mapping[str, Any]) -> Record:
    """One record with upper-case names; phones and e-mails as PHONE, EMAIL, … lists when the answer has
    them.
    """
    record = {upper_name(name, kind): as_kept(value) for name, value in item.items() if name not in NO_FIELDS}
    for name in DATES & record.keys():
        record[name] = plain_date(record[name])
    for name in LINKS & record.keys():
        record[name] = "" if record[name] == "0" else record[name]
    return record | as_lists(item.get("fm"))


def read_added(value: Any) -> str:
    """The new record's ID from any answer to an add; OutcomeUnknown when it holds none."""
    return added_id(value)


def read_listed(value: Any) -> list[ListedRecord]:
    """The records of a page by ascending ID, with the time of their last change when it was asked."""
    return [
        ListedRecord(
            str(item["id"]), datetime.fromisoformat(item["updatedTime"]) if item.get("updatedTime") else None
        )
        for item in rows_of(value, "items")
    ]


def read_origins(value: Any) -> dict[str, list[str]]:
    """Origin ID → IDs of the records that carry it, the oldest first; absent when there is none.

    NeedsStaff when a full page holds doubles: what did not fit on it would look missing, and be created
    again.
    """
    return origins_of([(str(row["originId"]), str(row["id"])) for row in rows_of(value, "items")])


def origins_of(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Pairs of origin ID and record's ID, one page of them, by origin; raises as `read_origins` does."""
    origins: dict[str, list[str]] = {}
    for origin, record_id in pairs:
        origins.setdefault(origin, []).append(record_id)
    if len(pairs) >= PAGE and len(origins) < len(pairs):
        doubles = next(ids for ids in origins.values() if len(ids) > 1)
        raise NeedsStaff(
            _(
                "Several records carry the same origin (for instance %(ids)s): delete the doubles in the "
                "portal, then press Retry."
            )
            % {"ids": ", ".join(doubles[:5])},
            code="DOUBLE_ORIGIN",
        )
    return origins
