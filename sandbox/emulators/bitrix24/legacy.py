"""The old methods: `crm.deal.*`, `crm.contact.*`, `crm.company.*`, `crm.lead.*`.

https://apidocs.bitrix24.com/api-reference/crm/deals/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24 import filefields, records
from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.answers import ApiError, Page, not_found
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import COMPANY, CONTACT, DEAL, LEAD, Entity
from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.filters import compile_filter
from sandbox.emulators.bitrix24.listing import page_of_table, read_order
from sandbox.emulators.bitrix24.params import as_map, is_yes
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import DROP, show_legacy, take
from sandbox.emulators.bitrix24.write_fields import legacy_values

_SIMPLE_CRM = 2
# Only a company imported with IMPORT=Y may have its own times and authors.
_IMPORTED = ("DATE_CREATE", "DATE_MODIFY", "CREATED_BY_ID", "MODIFY_BY_ID")


def show_row(portal: EmulatedPortal, entity: Entity, *, row: Row, actor: Actor, names: list[str]) -> Row:
    """A record as the old methods show it, reduced to the named fields."""
    zone = portal.settings.utc_offset
    shown: Row = {}
    for name in names:
        field = entity.fields[name]
        if field.kind == "crm_multifield":
            if row.get(name):
                shown[name] = [dict(one) for one in row[name]]
        elif field.kind == "file":
            link = filefields.show_legacy(portal, field, row=row, actor=actor)
            if link is not DROP:
                shown[name] = link
        else:
            shown[name] = show_legacy(field, row.get(name), zone=zone)
    return shown


def get_names(entity: Entity) -> list[str]:
    """What `.get` shows: all but the fields that only the universal methods know."""
    return [name for name, field in entity.fields.items() if not field.is_item_only]


def list_names(entity: Entity, select: list[Any]) -> list[str]:
    """What `.list` shows: `*` system fields, `UF_*` user fields, phones and e-mails only by name."""
    wanted = {str(name) for name in select} or {"*", "UF_*"}
    return [
        name
        for name, field in entity.fields.items()
        if name == "ID" or _is_selected(name, field, wanted=wanted)
    ]


def _is_selected(name: str, field: Field, *, wanted: set[str]) -> bool:
    if field.is_item_only:
        return False
    if name in wanted:
        return True
    if field.kind == "crm_multifield":
        return False
    return ("UF_*" if field.is_user_field else "*") in wanted


def describe(entity: Entity, call: Call) -> Any:
    """`.fields`: every field with its type and flags."""
    del call
    return {name: field.descriptor() for name, field in entity.fields.items()}


def add(entity: Entity, call: Call) -> int:
    """`.add`: the new record's ID. Required user fields are not enforced here."""
    written = call.get("fields")
    if not isinstance(written, dict | list):
        raise ApiError("", "Parameter 'fields' must be array.")
    portal = call.portal
    values = legacy_values(portal, entity, written=as_map(written), kept=None)
    extra = _imported_values(entity, call, written=as_map(written))
    if entity.type_id == LEAD and portal.settings.crm_mode == _SIMPLE_CRM:
        return _convert_at_once(call, values)
    return records.create(portal, entity, values=values, actor=call.actor, at=extra)


def get(entity: Entity, call: Call) -> Row:
    """`.get`: one record, scalars as text."""
    row = find(entity, call)
    return show_row(call.portal, entity, row=row, actor=call.actor, names=get_names(entity))


def update(entity: Entity, call: Call) -> bool:
    """`.update`: true, also when every given field was ignored and nothing was saved."""
    row = find(entity, call)
    written = call.get("fields")
    if not isinstance(written, dict | list):
        raise ApiError("", "Parameter 'fields' must be array.")
    values = legacy_values(call.portal, entity, written=as_map(written), kept=row)
    if values:
        records.change(call.portal, entity, row=row, values=values, actor=call.actor)
    return True


def delete(entity: Entity, call: Call) -> bool:
    """`.delete`: true; the record is gone for good."""
    records.remove(call.portal, entity, row=find(entity, call), actor=call.actor)
    return True


def listing(entity: Entity, call: Call) -> Page:
    """`.list`: a page of records; unknown filter fields are dropped without a word."""
    portal = call.portal
    zone = portal.settings.utc_offset
    wanted = compile_filter(entity.fields, call.get("filter"), zone=zone, strict=False)
    names = list_names(entity, call.listed("select"))

    def show(row: Row) -> Row:
        return show_row(portal, entity, row=row, actor=call.actor, names=names)

    order = read_order(entity.fields, call.mapping("order"))
    return page_of_table(
        entity.table, wanted.without(entity.hidden), order=order, start=call.start, zone=zone, show=show
    )


def find(entity: Entity, call: Call) -> Row:
    """The record whose ID is given, or the old methods' two errors."""
    record_id = call.number("id")
    if record_id <= 0:
        raise ApiError("", "ID is not defined or invalid.")
    row = entity.table.get(record_id)
    if row is None:
        raise not_found()
    if record_id in entity.hidden:
        raise ApiError("", "Access denied.")
    return row


def _imported_values(entity: Entity, call: Call, *, written: Row) -> Row:
    if entity.type_id != COMPANY or not is_yes(call.mapping("params").get("IMPORT")):
        return {}
    zone = call.portal.settings.utc_offset
    given = [name for name in _IMPORTED if name in written]
    taken = {name: take(entity.fields[name], written[name], zone=zone) for name in given}
    return {name: value for name, value in taken.items() if value is not DROP}


def _convert_at_once(call: Call, values: Row) -> int:
    """In the simple CRM a lead becomes a deal as soon as it is made; its own ID leads nowhere."""
    deal = call.portal.entities[DEAL]
    kept = {name: value for name, value in values.items() if name in deal.fields}
    records.create(call.portal, deal, values=kept, actor=call.actor)
    return call.portal.entities[LEAD].table.next_id()


def _methods() -> dict[str, Callable[[Call], Any]]:
    verbs = {"fields": describe, "add": add, "get": get, "update": update, "delete": delete, "list": listing}
    codes = {LEAD: "lead", DEAL: "deal", CONTACT: "contact", COMPANY: "company"}
    return {
        f"crm.{code}.{verb}": _bound(type_id, act)
        for type_id, code in codes.items()
        for verb, act in verbs.items()
    }


def _bound(type_id: int, act: Callable[[Entity, Call], Any]) -> Callable[[Call], Any]:
    return lambda call: act(call.portal.entities[type_id], call)


METHODS: dict[str, Callable[[Call], Any]] = _methods()
