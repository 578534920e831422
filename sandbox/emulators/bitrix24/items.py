"""The universal methods `crm.item.*`: typed values, camelCase names, strict filters.

https://apidocs.bitrix24.com/api-reference/crm/universal/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24 import filefields, multifields, records
from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.answers import ApiError, Page, item_not_found
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import Entity
from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.filters import compile_filter
from sandbox.emulators.bitrix24.listing import page_of_table, read_order
from sandbox.emulators.bitrix24.params import as_map, is_yes
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import is_empty, show_item
from sandbox.emulators.bitrix24.write_fields import item_values, require_fields


def entity_of(call: Call) -> Entity:
    """The kind of record that `entityTypeId` names."""
    entity = call.portal.entity(call.number("entityTypeId"))
    if entity is None:
        raise ApiError("NOT_FOUND", "Смарт-процесс не найден")
    return entity


def find(entity: Entity, call: Call) -> Row:
    """The record whose ID is given, or NOT_FOUND with HTTP 400."""
    row = entity.table.get(call.number("id"))
    if row is None:
        raise item_not_found()
    if row["ID"] in entity.hidden:
        raise ApiError("ACCESS_DENIED", "Доступ запрещен")
    return row


def show_row(
    portal: EmulatedPortal, entity: Entity, *, row: Row, actor: Actor, fields: list[Field], original: bool
) -> Row:
    """A record as `crm.item.*` shows it."""
    zone = portal.settings.utc_offset
    shown: Row = {}
    for field in fields:
        key = field.upper_name if original and field.is_user_field else field.item_name
        if field.kind == "file":
            shown[key] = filefields.show_item(portal, entity, row=row, field=field, actor=actor)
        else:
            shown[key] = show_item(field, row.get(field.name), zone=zone)
    shown["entityTypeId"] = entity.type_id
    return shown


def fields_of(entity: Entity, select: list[Any]) -> list[Field]:
    """The fields to show; nothing or `*` selects all but the multifields, which go under `fm`."""
    wanted = {str(name) for name in select}
    plain = [field for field in entity.fields.values() if field.kind != "crm_multifield"]
    if not wanted or "*" in wanted:
        return plain
    return [field for field in plain if _is_selected(field, wanted)]


def _is_selected(field: Field, wanted: set[str]) -> bool:
    if field.is_user_field and wanted & {"UF_*", "ufCrm*"}:
        return True
    return field.name == "ID" or field.item_name in wanted or field.upper_name in wanted


def whole(call: Call, entity: Entity, *, row: Row) -> dict[str, Any]:
    """`{"item": …}` with every field."""
    original = is_yes(call.get("useOriginalUfNames"))
    shown = show_row(
        call.portal, entity, row=row, actor=call.actor, fields=fields_of(entity, []), original=original
    )
    if "PHONE" in entity.fields:
        shown["fm"] = multifields.show_item(row)
    return {"item": shown}


def describe(call: Call) -> Any:
    """`crm.item.fields`: every field under its own name, with `upperName` beside it."""
    original = is_yes(call.get("useOriginalUfNames"))
    described = {
        (field.upper_name if original and field.is_user_field else field.item_name): field.item_descriptor()
        for field in entity_of(call).fields.values()
        if field.kind != "crm_multifield"
    }
    return {"fields": described}


def get(call: Call) -> Any:
    """`crm.item.get`."""
    entity = entity_of(call)
    return whole(call, entity, row=find(entity, call))


def listing(call: Call) -> Page:
    """`crm.item.list`: `{"items": […]}`; an unknown filter field is an error, `fm` comes only with `*`."""
    entity, portal = entity_of(call), call.portal
    zone = portal.settings.utc_offset
    names = entity.by_item_name()
    select = call.listed("select")
    wanted = compile_filter(names, call.get("filter"), zone=zone, strict=True)
    fields, original = fields_of(entity, select), is_yes(call.get("useOriginalUfNames"))
    with_fm = "*" in select and "PHONE" in entity.fields

    def show(row: Row) -> Row:
        shown = show_row(portal, entity, row=row, actor=call.actor, fields=fields, original=original)
        return shown | {"fm": multifields.show_item(row)} if with_fm else shown

    order = read_order(names, call.mapping("order"))
    page = page_of_table(
        entity.table, wanted.without(entity.hidden), order=order, start=call.start, zone=zone, show=show
    )
    return Page({"items": page.result}, page.total, page.next)


def add(call: Call) -> Any:
    """`crm.item.add`: checks required fields, answers with the whole item."""
    entity = entity_of(call)
    values = _values(call, entity, kept=None)
    require_fields(entity, values)
    record_id = records.create(call.portal, entity, values=values, actor=call.actor)
    return whole(call, entity, row=entity.table.rows[record_id])


def update(call: Call) -> Any:
    """`crm.item.update`: saves, and fires an event, only when something really changes."""
    entity = entity_of(call)
    row = find(entity, call)
    values = _values(call, entity, kept=row)
    changed = {name: value for name, value in values.items() if not _is_same(row.get(name), value)}
    require_fields(entity, row | changed)
    if changed:
        records.change(call.portal, entity, row=row, values=changed, actor=call.actor)
    return whole(call, entity, row=row)


def _is_same(kept: Any, written: Any) -> bool:
    return bool(kept == written) or (is_empty(kept) and is_empty(written))


def delete(call: Call) -> Any:
    """`crm.item.delete`: an empty list."""
    entity = entity_of(call)
    records.remove(call.portal, entity, row=find(entity, call), actor=call.actor)
    return []


def _values(call: Call, entity: Entity, *, kept: Row | None) -> Row:
    written = as_map(call.get("fields"))
    original = is_yes(call.get("useOriginalUfNames"))
    return item_values(call.portal, entity, written=written, kept=kept, original_names=original)


METHODS: dict[str, Callable[[Call], Any]] = {
    "crm.item.fields": describe,
    "crm.item.get": get,
    "crm.item.list": listing,
    "crm.item.add": add,
    "crm.item.update": update,
    "crm.item.delete": delete,
}
