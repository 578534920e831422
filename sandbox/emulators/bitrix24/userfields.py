"""`crm.deal.userfield.*` and its likes for leads, contacts and companies.

https://apidocs.bitrix24.com/api-reference/crm/deals/user-defined-fields/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError, Page
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import COMPANY, CONTACT, DEAL, LEAD, Entity
from sandbox.emulators.bitrix24.fields import table_of
from sandbox.emulators.bitrix24.filters import compile_filter
from sandbox.emulators.bitrix24.listing import page_of_rows
from sandbox.emulators.bitrix24.params import as_list
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.userfieldrows import add_user_field, field_of, options_of

_LABELS = ("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL")
_FILTERED = table_of("""
ID integer
FIELD_NAME string
USER_TYPE_ID string
XML_ID string
SORT integer
MULTIPLE string
MANDATORY string
""")


def listing(entity: Entity, call: Call) -> Page:
    """`.userfield.list`: labels come only when the filter names a language (`LANG`)."""
    wanted = call.mapping("filter")
    zone = call.portal.settings.utc_offset
    chosen = compile_filter(_FILTERED, wanted, zone=zone, strict=False)
    rows = [row for row in _rows(entity) if chosen.matches(row)]
    language = str(wanted.get("LANG") or "")
    return page_of_rows(rows, start=call.start, show=lambda row: _show(row, language))


def get(entity: Entity, call: Call) -> Row:
    """`.userfield.get`: with labels by language."""
    shown = _show(_find(entity, call), "")
    return shown | {name: {"ru": _find(entity, call)["LABEL"]} for name in _LABELS}


def add(entity: Entity, call: Call) -> int:
    """`.userfield.add`: the ID of the new field."""
    fields = call.mapping("fields")
    if not fields.get("FIELD_NAME") or not fields.get("USER_TYPE_ID"):
        raise ApiError("ERROR_CORE", "FIELD_NAME and USER_TYPE_ID are required<br>")
    field_id = add_user_field(call.portal, entity, written=fields)
    _announce(entity, call, verb="ADD", field_id=field_id)
    return field_id


def update(entity: Entity, call: Call) -> bool:
    """`.userfield.update`: true; the type and the code never change."""
    row = _find(entity, call)
    fields = call.mapping("fields")
    for name in ("SORT", "MANDATORY", "XML_ID"):
        if name in fields:
            row[name] = str(fields[name])
    if "LIST" in fields:
        row["LIST"] = options_of(row["ID"], as_list(fields["LIST"]))
    entity.add_field(field_of(row))
    _announce(entity, call, verb="UPDATE", field_id=row["ID"])
    return True


def delete(entity: Entity, call: Call) -> bool:
    """`.userfield.delete`: true; the values are gone with the field."""
    row = _find(entity, call)
    call.portal.directory.user_fields.remove(row["ID"])
    entity.remove_field(row["FIELD_NAME"])
    _announce(entity, call, verb="DELETE", field_id=row["ID"])
    return True


def _rows(entity: Entity) -> list[Row]:
    return [field.row for field in entity.user_fields()]


def _find(entity: Entity, call: Call) -> Row:
    found = next((row for row in _rows(entity) if row["ID"] == call.number("id")), None)
    if found is None:
        raise ApiError("ERROR_NOT_FOUND", "The entity with ID is not found")
    return found


def _show(row: Row, language: str) -> Row:
    shown = {key: value for key, value in row.items() if key != "LABEL"} | {"ID": str(row["ID"])}
    if row["USER_TYPE_ID"] != "enumeration":
        shown.pop("LIST")
    if language:
        shown |= dict.fromkeys(_LABELS, row["LABEL"]) | {"ERROR_MESSAGE": None, "HELP_MESSAGE": None}
    return shown


def _announce(entity: Entity, call: Call, *, verb: str, field_id: int) -> None:
    data = {"FIELDS": {"ID": str(field_id), "ENTITY_ID": f"CRM_{entity.event}"}}
    call.portal.events.fire(f"ONCRM{entity.event}USERFIELD{verb}", data, actor=call.actor)


def _bound(type_id: int, act: Callable[[Entity, Call], Any]) -> Callable[[Call], Any]:
    return lambda call: act(call.portal.entities[type_id], call)


_VERBS: dict[str, Callable[[Entity, Call], Any]] = {
    "list": listing,
    "get": get,
    "add": add,
    "update": update,
    "delete": delete,
}
METHODS: dict[str, Callable[[Call], Any]] = {
    f"crm.{code}.userfield.{verb}": _bound(type_id, act)
    for type_id, code in {LEAD: "lead", DEAL: "deal", CONTACT: "contact", COMPANY: "company"}.items()
    for verb, act in _VERBS.items()
}
