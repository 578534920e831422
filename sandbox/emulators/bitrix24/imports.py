"""Imports that keep history: no robots, own times and authors, at most twenty at once.

https://apidocs.bitrix24.com/api-reference/crm/universal/import/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24 import records
from sandbox.emulators.bitrix24.answers import ApiError, error_envelope
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import Entity
from sandbox.emulators.bitrix24.items import entity_of
from sandbox.emulators.bitrix24.multifields import KINDS, write_legacy
from sandbox.emulators.bitrix24.params import as_map, is_yes
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import DROP, take
from sandbox.emulators.bitrix24.write_fields import item_values, require_fields

MAX_IMPORTED = 20
_HISTORY = ("CREATED_TIME", "UPDATED_TIME", "MOVED_TIME", "CREATED_BY", "UPDATED_BY", "MOVED_BY")


def import_one(call: Call) -> Any:
    """`crm.item.import`: `{"item": {"id": n}}`."""
    return _import(call, entity_of(call), fields=as_map(call.get("fields")))


def import_batch(call: Call) -> Any:
    """`crm.item.batchImport`: one answer per item, each its own success or error."""
    data = call.listed("data")
    if len(data) > MAX_IMPORTED:
        text = f"Максимальное количество элементов для импорта: {MAX_IMPORTED}"
        raise ApiError("MAX_IMPORT_BATCH_SIZE_EXCEEDED", text)
    entity = entity_of(call)
    return {"items": [_import_or_error(call, entity, fields=as_map(fields)) for fields in data]}


def _import_or_error(call: Call, entity: Entity, *, fields: dict[str, Any]) -> Any:
    try:
        return _import(call, entity, fields=fields)
    except ApiError as error:
        return error_envelope(error)


def _import(call: Call, entity: Entity, *, fields: dict[str, Any]) -> Any:
    portal = call.portal
    original = is_yes(call.get("useOriginalUfNames"))
    values = item_values(portal, entity, written=fields, kept=None, original_names=original)
    for kind in KINDS:
        if kind in fields and kind in entity.fields:
            values[kind] = write_legacy(portal, kind, kept=[], written=fields[kind])
    require_fields(entity, values)
    history = _history(call, entity, fields=fields)
    return {"item": {"id": records.create(portal, entity, values=values, actor=call.actor, at=history)}}


def _history(call: Call, entity: Entity, *, fields: dict[str, Any]) -> Row:
    names = entity.by_item_name()
    zone = call.portal.settings.utc_offset
    given = [(names[key], value) for key, value in fields.items() if key in names]
    taken = {
        field.name: take(field, value, zone=zone) for field, value in given if field.upper_name in _HISTORY
    }
    kept = {name: value for name, value in taken.items() if value not in (DROP, None)}
    if kept.get("DATE_CREATE", call.portal.now()) > call.portal.now():
        raise ApiError("CRM_FIELD_ERROR_VALUE_NOT_VALID", "Дата создания не может быть в будущем")
    return kept


METHODS: dict[str, Callable[[Call], Any]] = {
    "crm.item.import": import_one,
    "crm.item.batchimport": import_batch,
}
