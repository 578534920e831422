"""Finding records by phone or e-mail.

https://apidocs.bitrix24.com/api-reference/crm/duplicates/crm-duplicate-find-by-comm.html
"""

import re
from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import COMPANY, CONTACT, LEAD, Entity

_MAX_VALUES = 20
_ENOUGH = 20
_ENTITIES = {"LEAD": LEAD, "CONTACT": CONTACT, "COMPANY": COMPANY}


def find_by_communication(call: Call) -> Any:
    """IDs by kind of record, only kinds with a match; `[]` when nothing matches."""
    kind = str(call.get("type") or "").upper()
    values = [str(value) for value in call.listed("values")]
    if kind not in {"PHONE", "EMAIL"}:
        raise ApiError("Communication type is not defined", "")
    if not values or len(values) > _MAX_VALUES:
        raise ApiError("", "Values must be a non-empty array of at most 20 elements")
    wanted = {_plain(kind, value) for value in values}
    found: dict[str, list[int]] = {}
    for name, type_id in _ENTITIES.items():
        if call.get("entity_type") and str(call.get("entity_type")).upper() != name:
            continue
        ids = _matches(call.portal.entities[type_id], kind, wanted=wanted)
        if ids:
            found[name] = ids[:_ENOUGH]
        if len(ids) >= _ENOUGH:
            break
    return found or []


def _matches(entity: Entity, kind: str, *, wanted: set[str]) -> list[int]:
    return [
        row["ID"]
        for row in entity.table
        if any(_plain(kind, one["VALUE"]) in wanted for one in row.get(kind) or [])
    ]


def _plain(kind: str, value: str) -> str:
    return re.sub(r"\D", "", value) if kind == "PHONE" else value.strip().casefold()


METHODS: dict[str, Callable[[Call], Any]] = {"crm.duplicate.findbycomm": find_by_communication}
