"""Universal lists.

https://apidocs.bitrix24.com/api-reference/lists/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError, Page
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.directory import UniversalList
from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.filters import compile_filter
from sandbox.emulators.bitrix24.fixtures import add_element, key_values
from sandbox.emulators.bitrix24.listing import page_of_rows
from sandbox.emulators.bitrix24.params import as_int
from sandbox.emulators.bitrix24.table import Row

# The only system fields whose filters are documented; ID is not among them.
_FILTERED = ("NAME", "IBLOCK_SECTION_ID", "CREATED_BY", "DATE_CREATE", "SORT")
_SYSTEM = ("ID", "NAME", "CODE", "IBLOCK_SECTION_ID", "CREATED_BY", "SORT", "DATE_CREATE", "TIMESTAMP_X")


def lists_get(call: Call) -> Page:
    """`lists.get`: lists of one type."""
    type_id = _required(call, "IBLOCK_TYPE_ID")
    wanted = call.number("IBLOCK_ID")
    rows = [
        _show_list(one)
        for one in call.portal.directory.lists.values()
        if one.type_id == type_id and wanted in (0, one.iblock_id)
    ]
    return page_of_rows(rows, start=call.start)


def type_of(call: Call) -> str | None:
    """`lists.get.iblock.type.id`: null for a list that is not there."""
    found = call.portal.directory.lists.get(call.number("IBLOCK_ID"))
    return found.type_id if found else None


def field_get(call: Call) -> Any:
    """`lists.field.get`: all fields by FIELD_ID; one field comes alone, keyed by its type."""
    fields = _find(call).fields
    wanted = str(call.get("FIELD_ID") or "")
    if not wanted:
        return {field_id: dict(row) for field_id, row in fields.items()}
    row = fields.get(wanted)
    return {row["TYPE"]: dict(row)} if row else []


def element_get(call: Call) -> Page:
    """`lists.element.get`: a page of elements, one when ELEMENT_ID is given."""
    target = _find(call)
    rows = _wanted(call, target)
    order = call.mapping("ELEMENT_ORDER")
    if [(name.upper(), str(direction).upper()) for name, direction in order.items()] == [("ID", "ASC")]:
        order = {}  # as they are kept
    for name, direction in reversed(order.items()):
        descending = str(direction).upper() == "DESC"
        rows.sort(key=lambda row, name=name: _rank(row.get(name.upper())), reverse=descending)  # type: ignore[misc]
    select = {str(name) for name in call.listed("SELECT")}
    return page_of_rows(rows, start=call.start, show=lambda row: _show_element(row, select))


def _wanted(call: Call, target: UniversalList) -> list[Row]:
    element_id = call.number("ELEMENT_ID")
    if not element_id and not call.get("FILTER"):
        return list(target.elements)
    names = {name: Field(name, "string") for name in (*_FILTERED, *target.fields)}
    wanted = compile_filter(names, call.get("FILTER"), zone=call.portal.settings.utc_offset, strict=False)
    return [row for row in target.elements if element_id in (0, row["ID"]) and wanted.matches(_flat(row))]


def element_add(call: Call) -> int:
    """`lists.element.add`: the new element's ID."""
    target = _find(call)
    code, fields = _required(call, "ELEMENT_CODE"), _fields(call, target)
    if any(row["CODE"] == code for row in target.elements):
        raise ApiError("ERROR_ELEMENT_ALREADY_EXISTS", "Element already exists")
    return add_element(call.portal, target.elements, row=fields | {"CODE": code})


def element_update(call: Call) -> bool:
    """`lists.element.update`: true; every property that is not given is emptied."""
    target = _find(call)
    row = _element(call, target)
    fields = _fields(call, target)
    for name in [name for name in row if name.startswith("PROPERTY_")]:
        del row[name]
    row |= {
        name: key_values(call.portal, value) if name.startswith("PROPERTY_") else value
        for name, value in fields.items()
    }
    row["TIMESTAMP_X"] = call.portal.now().strftime("%d.%m.%Y %H:%M:%S")
    return True


def element_delete(call: Call) -> bool:
    """`lists.element.delete`: true."""
    target = _find(call)
    target.elements.remove(_element(call, target)["ID"])
    return True


def _find(call: Call) -> UniversalList:
    type_id = _required(call, "IBLOCK_TYPE_ID")
    if not call.get("IBLOCK_CODE"):
        _required(call, "IBLOCK_ID")
    for one in call.portal.directory.lists.values():
        is_named = one.iblock_id == call.number("IBLOCK_ID") or (
            one.code and one.code == call.get("IBLOCK_CODE")
        )
        if is_named and one.type_id == type_id:
            return one
    raise ApiError("ERROR_IBLOCK_NOT_FOUND", "Iblock not found")


def _element(call: Call, target: UniversalList) -> Row:
    _required(call, "ELEMENT_ID")
    row = target.elements.get(call.number("ELEMENT_ID"))
    if row is None:
        raise ApiError("ERROR_ELEMENT_NOT_FOUND", "Element not found")
    return row


def _fields(call: Call, target: UniversalList) -> Row:
    fields = {name: value for name, value in call.mapping("FIELDS").items() if name in target.fields}
    for name, field in target.fields.items():
        if field["IS_REQUIRED"] == "Y" and not fields.get(name):
            text = f'Поле "{field["NAME"]}" обязательно для заполнения'
            raise ApiError("ERROR_ELEMENT_FIELD_VALUE", text)
    return fields


def _required(call: Call, name: str) -> str:
    value = str(call.get(name) or "")
    if not value:
        text = f"Required parameter `{name}` is missing"
        raise ApiError("ERROR_REQUIRED_PARAMETERS_MISSING", text)
    return value


def _flat(row: Row) -> Row:
    return {name: list(value.values()) if isinstance(value, dict) else value for name, value in row.items()}


def _rank(value: Any) -> tuple[int, str]:
    return (as_int(value), str(value))


def _show_element(row: Row, select: set[str]) -> Row:
    shown: Row = {name: None if row[name] is None else str(row[name]) for name in _SYSTEM}
    shown |= {name: dict(value) for name, value in row.items() if name.startswith("PROPERTY_")}
    return {name: value for name, value in shown.items() if not select or name in select or name == "ID"}


def _show_list(one: UniversalList) -> Row:
    shown = {"ID": str(one.iblock_id), "TIMESTAMP_X": "24.08.2023 13:19:39", "IBLOCK_TYPE_ID": one.type_id}
    return shown | {"CODE": one.code, "NAME": one.name, "ACTIVE": "Y", "SORT": "500"}


METHODS: dict[str, Callable[[Call], Any]] = {
    "lists.get": lists_get,
    "lists.get.iblock.type.id": type_of,
    "lists.field.get": field_get,
    "lists.element.get": element_get,
    "lists.element.add": element_add,
    "lists.element.update": element_update,
    "lists.element.delete": element_delete,
}
