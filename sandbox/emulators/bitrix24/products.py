"""Product rows of deals and other records, old and universal methods over the same rows.

https://apidocs.bitrix24.com/api-reference/crm/universal/product-rows/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24 import records
from sandbox.emulators.bitrix24.answers import ApiError, Page, invalid_argument, not_found
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import DEAL, Entity
from sandbox.emulators.bitrix24.listing import page_of_rows
from sandbox.emulators.bitrix24.params import as_int, as_map
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.productrows import from_item, from_legacy, show_item, show_legacy
from sandbox.emulators.bitrix24.table import Row

_READ_ONLY = {"id", "ownerId", "ownerType"}


def owned(portal: EmulatedPortal, letter: str, *, owner_id: int) -> list[Row]:
    """Rows of one record in their order."""
    rows = [row for row in portal.product_rows if row["ownerType"] == letter and row["ownerId"] == owner_id]
    return sorted(rows, key=lambda row: (row["sort"], row["ID"]))


def get_legacy(call: Call) -> list[Row]:
    """`crm.deal.productrows.get`: text and numbers mixed as the vendor mixes them."""
    owner = _deal(call)
    return [show_legacy(row) for row in owned(call.portal, "D", owner_id=owner["ID"])]


def set_legacy(call: Call) -> bool:
    """`crm.deal.productrows.set`: true; replaces all rows."""
    owner = _deal(call)
    rows = [from_legacy(call.portal, as_map(part)) for part in call.listed("rows")]
    _replace(call, call.portal.entities[DEAL], owner=owner, rows=rows)
    return True


def list_rows(call: Call) -> Page:
    """`crm.item.productrow.list`: both `=ownerType` and `=ownerId` are mandatory."""
    wanted = call.mapping("filter")
    letter, owner_id = wanted.get("=ownerType"), as_int(wanted.get("=ownerId"))
    if not letter or not owner_id:
        raise ApiError("OWNER_NOT_FOUND", "Владелец не найден")
    rows = owned(call.portal, str(letter), owner_id=owner_id)
    page = page_of_rows(rows, start=call.start, show=show_item)
    return Page({"productRows": page.result}, page.total, page.next)


def set_rows(call: Call) -> Any:
    """`crm.item.productrow.set`: replaces all rows and gives them back; a call without rows is refused."""
    if call.get("productRows") is None:
        raise ApiError("100", "Could not find value for parameter {productRows}")
    entity, owner = _owner(call, str(call.get("ownerType")), owner_id=call.number("ownerId"))
    rows = [from_item(call.portal, as_map(part)) for part in call.listed("productRows")]
    _replace(call, entity, owner=owner, rows=rows)
    return {
        "productRows": [show_item(row) for row in owned(call.portal, entity.letter, owner_id=owner["ID"])]
    }


def add_row(call: Call) -> Any:
    """`crm.item.productrow.add`: the row."""
    fields = call.mapping("fields")
    entity, owner = _owner(call, str(fields.get("ownerType")), owner_id=as_int(fields.get("ownerId")))
    row = _keep(call.portal, entity, owner=owner, row=from_item(call.portal, fields))
    _sum_up(call, entity, owner=owner)
    return {"productRow": show_item(row)}


def update_row(call: Call) -> Any:
    """`crm.item.productrow.update`: the row."""
    row = _row(call)
    written = {key: value for key, value in call.mapping("fields").items() if key not in _READ_ONLY}
    row |= from_item(call.portal, show_item(row) | written)
    entity, owner = _owner(call, row["ownerType"], owner_id=row["ownerId"])
    _sum_up(call, entity, owner=owner)
    return {"productRow": show_item(row)}


def get_row(call: Call) -> Any:
    """`crm.item.productrow.get`: the row."""
    return {"productRow": show_item(_row(call))}


def delete_row(call: Call) -> None:
    """`crm.item.productrow.delete`: null."""
    row = _row(call)
    call.portal.product_rows.remove(row["ID"])
    entity, owner = _owner(call, row["ownerType"], owner_id=row["ownerId"])
    _sum_up(call, entity, owner=owner)


def _deal(call: Call) -> Row:
    row = call.portal.deals.get(call.number("id"))
    if row is None:
        raise not_found()
    return row


def _row(call: Call) -> Row:
    row = call.portal.product_rows.get(call.number("id"))
    if row is None:
        raise invalid_argument("Product row was not found")
    return row


def _owner(call: Call, letter: str, *, owner_id: int) -> tuple[Entity, Row]:
    for entity in call.portal.entities.values():
        row = entity.table.get(owner_id)
        if entity.letter == letter and row is not None:
            return entity, row
    raise ApiError("OWNER_NOT_FOUND", "Владелец не найден")


def _replace(call: Call, entity: Entity, *, owner: Row, rows: list[Row]) -> None:
    for old in owned(call.portal, entity.letter, owner_id=owner["ID"]):
        call.portal.product_rows.remove(old["ID"])
    for row in rows:
        _keep(call.portal, entity, owner=owner, row=row)
    _sum_up(call, entity, owner=owner)


def _keep(portal: EmulatedPortal, entity: Entity, *, owner: Row, row: Row) -> Row:
    row |= {"ID": portal.product_rows.next_id(), "ownerId": owner["ID"], "ownerType": entity.letter}
    row["sort"] = row["sort"] or (len(owned(portal, entity.letter, owner_id=owner["ID"])) + 1) * 10
    portal.product_rows.insert(row)
    return row


def _sum_up(call: Call, entity: Entity, *, owner: Row) -> None:
    """Unless the sum is set by hand, it follows the rows."""
    if "OPPORTUNITY" not in entity.fields or owner.get("IS_MANUAL_OPPORTUNITY") == "Y":
        return
    rows = owned(call.portal, entity.letter, owner_id=owner["ID"])
    total = round(sum(row["price"] * row["quantity"] for row in rows), 2)
    if total != owner.get("OPPORTUNITY"):
        records.change(call.portal, entity, row=owner, values={"OPPORTUNITY": total}, actor=call.actor)


METHODS: dict[str, Callable[[Call], Any]] = {
    "crm.deal.productrows.get": get_legacy,
    "crm.deal.productrows.set": set_legacy,
    "crm.item.productrow.list": list_rows,
    "crm.item.productrow.set": set_rows,
    "crm.item.productrow.add": add_row,
    "crm.item.productrow.update": update_row,
    "crm.item.productrow.get": get_row,
    "crm.item.productrow.delete": delete_row,
}
