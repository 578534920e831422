"""Contacts of a deal, companies of a contact: lists of links with one primary.

https://apidocs.bitrix24.com/api-reference/crm/deals/contacts/index.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sandbox.emulators.bitrix24 import records
from sandbox.emulators.bitrix24.answers import ApiError, not_found
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import CONTACT, DEAL, LEAD, Entity
from sandbox.emulators.bitrix24.params import as_int, as_map, is_yes
from sandbox.emulators.bitrix24.table import Row


@dataclass(frozen=True, slots=True)
class _Kind:
    prefix: str
    owner_type: int
    one: str
    many: str


_KINDS = (
    _Kind("crm.deal.contact", DEAL, "CONTACT_ID", "CONTACT_IDS"),
    _Kind("crm.lead.contact", LEAD, "CONTACT_ID", "CONTACT_IDS"),
    _Kind("crm.contact.company", CONTACT, "COMPANY_ID", "COMPANY_IDS"),
)


def items_get(kind: _Kind, call: Call) -> list[Row]:
    """`.items.get`: real numbers, unlike most of the old methods."""
    _, owner = _owner(kind, call)
    return [
        {
            kind.one: linked,
            "SORT": (number + 1) * 10,
            "ROLE_ID": 0,
            "IS_PRIMARY": "Y" if linked == owner.get(kind.one) else "N",
        }
        for number, linked in enumerate(owner.get(kind.many) or [])
    ]


def items_set(kind: _Kind, call: Call) -> bool:
    """`.items.set`: true; replaces all links, the first is primary when none is marked."""
    entity, owner = _owner(kind, call)
    written = sorted(map(as_map, call.listed("items")), key=lambda link: as_int(link.get("SORT")))
    linked = [as_int(link.get(kind.one)) for link in written]
    primary = next((as_int(link.get(kind.one)) for link in written if is_yes(link.get("IS_PRIMARY"))), None)
    values = {kind.many: linked, kind.one: primary or next(iter(linked), None)}
    records.change(call.portal, entity, row=owner, values=values, actor=call.actor)
    return True


def items_delete(kind: _Kind, call: Call) -> bool:
    """`.items.delete`: true; nothing is linked afterwards."""
    entity, owner = _owner(kind, call)
    records.change(call.portal, entity, row=owner, values={kind.many: [], kind.one: None}, actor=call.actor)
    return True


def add(kind: _Kind, call: Call) -> bool:
    """`.add`: false when the two are linked already."""
    entity, owner = _owner(kind, call)
    fields = as_map(call.get("fields"))
    linked = as_int(fields.get(kind.one))
    known = list(owner.get(kind.many) or [])
    if not linked:
        raise ApiError("", f"The parameter {kind.one} is invalid or not defined.")
    if linked in known:
        return False
    is_primary = is_yes(fields.get("IS_PRIMARY")) or not known
    values = {kind.many: [*known, linked], kind.one: linked if is_primary else owner.get(kind.one)}
    records.change(call.portal, entity, row=owner, values=values, actor=call.actor)
    return True


def delete(kind: _Kind, call: Call) -> bool:
    """`.delete`: whether there was such a link."""
    entity, owner = _owner(kind, call)
    linked = as_int(as_map(call.get("fields")).get(kind.one))
    known = list(owner.get(kind.many) or [])
    if linked not in known:
        return False
    values = {kind.many: [one for one in known if one != linked]}
    records.change(call.portal, entity, row=owner, values=values, actor=call.actor)
    return True


def _owner(kind: _Kind, call: Call) -> tuple[Entity, Row]:
    entity = call.portal.entities[kind.owner_type]
    owner_id = call.number("id")
    if owner_id <= 0:
        raise ApiError("", "The parameter ownerEntityID is invalid or not defined.")
    row = entity.table.get(owner_id)
    if row is None:
        raise not_found()
    return entity, row


_VERBS: dict[str, Callable[[_Kind, Call], Any]] = {
    "items.get": items_get,
    "items.set": items_set,
    "items.delete": items_delete,
    "add": add,
    "delete": delete,
}
METHODS: dict[str, Callable[[Call], Any]] = {
    f"{kind.prefix}.{verb}": partial(act, kind) for kind in _KINDS for verb, act in _VERBS.items()
}
