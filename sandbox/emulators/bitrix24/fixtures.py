"""Filling a portal from outside, for tests and the demo."""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24 import default_data, inspection, records
from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.entities import DEAL, Entity, dynamic_entity
from sandbox.emulators.bitrix24.params import as_int, as_list
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.timeline import create as create_comment
from sandbox.emulators.bitrix24.userfieldrows import add_user_field
from sandbox.emulators.bitrix24.values import DROP, take
from sandbox.emulators.bitrix24.write_fields import legacy_values

_TYPE_OF = inspection.KINDS


def add(portal: EmulatedPortal, kind: str, *, rows: list[Row], fire: bool = False) -> list[int]:
    """Make things of one kind (`deals`, `users`, `elements`, …), give their IDs; events only if asked for.

    Raises ValueError for an unknown kind.
    """
    if kind in _TYPE_OF:
        return _add_records(portal, portal.entities[_TYPE_OF[kind]], rows=rows, fire=fire)
    maker = _MAKERS.get(kind)
    if maker is None:
        raise ValueError(f"unknown kind: {kind}")
    with portal.lock:
        made = [maker(portal, dict(row)) for row in rows]
        if fire and kind == "users":
            _announce_users(portal, made)
    return made


def repeat(fields: Row, count: int) -> list[Row]:
    """The same row many times, `{n}` in its texts replaced by 1, 2, 3…"""
    return [
        {
            name: value.replace("{n}", str(n)) if isinstance(value, str) else value
            for name, value in fields.items()
        }
        for n in range(1, count + 1)
    ]


def _announce_users(portal: EmulatedPortal, user_ids: list[int]) -> None:
    """A new user's event holds the user's own fields, ACTIVE as a letter.

    https://apidocs.bitrix24.com/api-reference/common/events/on-user-add.html
    """
    for user_id in user_ids:
        user = portal.directory.users.rows[user_id]
        shown = user | {"ID": str(user_id), "ACTIVE": "Y" if user["ACTIVE"] else "N"}
        portal.events.fire("ONUSERADD", shown, actor=Actor(portal.settings.user_id))


def _add_records(portal: EmulatedPortal, entity: Entity, *, rows: list[Row], fire: bool) -> list[int]:
    made = []
    for row in rows:
        with portal.lock:
            made.append(_add_record(portal, entity, row=row, fire=fire))
    return made


def _add_record(portal: EmulatedPortal, entity: Entity, *, row: Row, fire: bool) -> int:
    """Seeding may set what REST may not: the ID, times, authors."""
    values = legacy_values(portal, entity, written=row, kept=None)
    zone = portal.settings.utc_offset
    known = {name: field for name, field in entity.fields.items() if field.is_read_only and name in row}
    taken = {name: take(field, row[name], zone=zone) for name, field in known.items()}
    history = {name: value for name, value in taken.items() if value is not DROP}
    if "ID" in history:
        values["ID"] = history["ID"]
    actor = Actor(portal.settings.user_id, "", portal.settings.code)
    return records.create(portal, entity, values=values, actor=actor, fire=fire, at=history)


def _add_list(portal: EmulatedPortal, row: Row) -> int:
    fields = [part if "TYPE" in part else _list_field(part) for part in as_list(row.get("FIELDS"))]
    made = default_data.add_list(portal, as_int(row["ID"]), name=str(row.get("NAME", "")), fields=fields)
    made.type_id = str(row.get("IBLOCK_TYPE_ID") or made.type_id)
    return made.iblock_id


def _list_field(part: Row) -> Row:
    return default_data.list_field(str(part["FIELD_ID"]), str(part.get("NAME", "")), enum=part.get("ENUM"))


def _add_element(portal: EmulatedPortal, row: Row) -> int:
    """An element of the list `IBLOCK_ID`; property values are given plainly and keyed by value ID here."""
    target = portal.directory.lists[as_int(row.pop("IBLOCK_ID"))]
    return add_element(portal, target.elements, row=row)


def add_element(portal: EmulatedPortal, elements: Any, *, row: Row) -> int:
    """Keep a list element with each property value under an ID of its own."""
    element_id = as_int(row.get("ID")) or elements.next_id()
    now = portal.now().strftime("%d.%m.%Y %H:%M:%S")
    kept: Row = {"NAME": "", "CODE": None, "IBLOCK_SECTION_ID": None, "CREATED_BY": "1", "SORT": "500"}
    kept |= {"DATE_CREATE": now, "TIMESTAMP_X": now, "BP_PUBLISHED": "Y"}
    for name, value in row.items():
        kept[name] = key_values(portal, value) if name.startswith("PROPERTY_") else value
    return int(elements.insert(kept | {"ID": element_id}))


def key_values(portal: EmulatedPortal, value: Any) -> dict[str, str]:
    """Property values as lists show them: `{"<value ID>": "<value>"}`, even for a single value."""
    values = as_list(value.values() if isinstance(value, dict) else value)
    return {str(portal.directory.list_values.next_id()): str(one) for one in values}


def _add_category(portal: EmulatedPortal, row: Row) -> int:
    stages = [
        (part["CODE"], part.get("NAME", part["CODE"]), part.get("SEMANTICS", "")) for part in row["STAGES"]
    ]
    type_id = as_int(row.get("ENTITY_TYPE_ID"), DEAL)
    default_data.add_funnel(
        portal, type_id, category=as_int(row["ID"]), name=str(row.get("NAME", "")), stages=stages
    )
    return as_int(row["ID"])


def _add_type(portal: EmulatedPortal, row: Row) -> int:
    type_id = as_int(row["ENTITY_TYPE_ID"])
    portal.entities[type_id] = dynamic_entity(type_id)
    types = portal.directory.types
    types.insert({"ID": types.next_id(), "ENTITY_TYPE_ID": type_id, "TITLE": str(row.get("TITLE", ""))})
    stages = [("NEW", "Начало", ""), ("SUCCESS", "Успех", "S"), ("FAIL", "Провал", "F")]
    default_data.add_funnel(
        portal, type_id, category=as_int(row.get("CATEGORY_ID"), type_id), name="Общая", stages=stages
    )
    return type_id


def _add_item(portal: EmulatedPortal, row: Row) -> int:
    entity = portal.entities[as_int(row.pop("ENTITY_TYPE_ID"))]
    return _add_record(portal, entity, row=row, fire=False)


def _add_user_field(portal: EmulatedPortal, row: Row) -> int:
    entity = portal.entities[as_int(row.pop("ENTITY_TYPE_ID", DEAL), DEAL)]
    return add_user_field(portal, entity, written=row)


def _add_department(portal: EmulatedPortal, row: Row) -> int:
    departments = portal.directory.departments
    return departments.insert({"SORT": 500} | row | {"ID": as_int(row.get("ID")) or departments.next_id()})


def _add_product(portal: EmulatedPortal, row: Row) -> int:
    products = portal.directory.products
    return products.insert({"NAME": ""} | row | {"ID": as_int(row.get("ID")) or products.next_id()})


def _add_comment(portal: EmulatedPortal, row: Row) -> int:
    owner = (str(row.get("ENTITY_TYPE", "deal")), as_int(row["ENTITY_ID"]))
    author = as_int(row.get("AUTHOR_ID"), portal.settings.user_id)
    actor = Actor(author, "", portal.settings.code)
    return create_comment(portal, owner, text=str(row["COMMENT"]), author=author, files=[], actor=actor)


_MAKERS: dict[str, Callable[[EmulatedPortal, Row], int]] = {
    "users": default_data.add_user,
    "departments": _add_department,
    "lists": _add_list,
    "elements": _add_element,
    "categories": _add_category,
    "types": _add_type,
    "items": _add_item,
    "userfields": _add_user_field,
    "products": _add_product,
    "comments": _add_comment,
}
