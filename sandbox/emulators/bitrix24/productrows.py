"""The shapes of one product row: as kept (camelCase, typed), old, universal.

https://apidocs.bitrix24.com/api-reference/crm/deals/crm-deal-productrows-set.html
"""

from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.params import as_int
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.table import Row

_NAMES = {
    "productId": "PRODUCT_ID",
    "productName": "PRODUCT_NAME",
    "price": "PRICE",
    "quantity": "QUANTITY",
    "discountTypeId": "DISCOUNT_TYPE_ID",
    "discountRate": "DISCOUNT_RATE",
    "discountSum": "DISCOUNT_SUM",
    "taxRate": "TAX_RATE",
    "taxIncluded": "TAX_INCLUDED",
    "customized": "CUSTOMIZED",
    "measureCode": "MEASURE_CODE",
    "measureName": "MEASURE_NAME",
    "sort": "SORT",
    "xmlId": "XML_ID",
    "type": "TYPE",
    "storeId": "STORE_ID",
}
_ABSOLUTE, _PERCENT = 1, 2


def from_legacy(portal: EmulatedPortal, written: Row) -> Row:
    """A row written by `crm.deal.productrows.set`; the discount rules are checked here."""
    _check_discount(written)
    return from_item(portal, {item: written[old] for item, old in _NAMES.items() if old in written})


def from_item(portal: EmulatedPortal, written: Row) -> Row:
    """A row written by `crm.item.productrow.*`; the name of a known product comes from the catalogue."""
    product_id = as_int(written.get("productId"))
    product = portal.directory.products.get(product_id)
    name = product["NAME"] if product else str(written.get("productName") or "")
    tax = written.get("taxRate")
    return {
        "productId": product_id,
        "productName": name,
        "price": _number(written.get("price")),
        "quantity": _number(written.get("quantity"), 1.0),
        "discountTypeId": as_int(written.get("discountTypeId"), _PERCENT),
        "discountRate": _number(written.get("discountRate")),
        "discountSum": _number(written.get("discountSum")),
        "taxRate": None if tax in (None, "") else _number(tax),
        "taxIncluded": str(written.get("taxIncluded") or "N"),
        "customized": str(written.get("customized") or "Y"),
        "measureCode": as_int(written.get("measureCode"), 796),
        "measureName": str(written.get("measureName") or "шт"),
        "sort": as_int(written.get("sort")),
        "xmlId": str(written.get("xmlId") or ""),
        "type": as_int(written.get("type"), 1),
        "storeId": written.get("storeId") or None,
    }


def show_item(row: Row) -> Row:
    """A row as the universal methods show it: camelCase, real numbers."""
    shown = {key: _plain(row[key]) for key in ("ownerId", "ownerType", *_NAMES)}
    return {"id": row["ID"], **shown, "priceNetto": _plain(row["price"]), "priceBrutto": _plain(row["price"])}


def show_legacy(row: Row) -> Row:
    """A row as the old methods show it: IDs as text, sums as numbers, one price as text."""
    shown: Row = {"ID": str(row["ID"]), "OWNER_ID": str(row["ownerId"]), "OWNER_TYPE": row["ownerType"]}
    shown |= {old: _plain(row[item]) for item, old in _NAMES.items()}
    shown["PRICE_ACCOUNT"] = f"{row['price']:.2f}"
    return shown | {"ORIGINAL_PRODUCT_NAME": row["productName"], "DATE_RESERVE_END": "", "RESERVE_ID": None}


def _check_discount(written: Row) -> None:
    kind = as_int(written.get("DISCOUNT_TYPE_ID"))
    has_rate = written.get("DISCOUNT_RATE") not in (None, "")
    has_sum = written.get("DISCOUNT_SUM") not in (None, "")
    if kind == _PERCENT and not has_rate:
        raise ApiError("ERROR_CORE", "Discount Rate (DISCOUNT_RATE) is required if Percentage Discount<br>")
    if kind == _PERCENT and _number(written.get("DISCOUNT_RATE")) == 100 and not has_sum:
        raise ApiError("ERROR_CORE", "Discount Sum (DISCOUNT_SUM) is required if 100 percent Discount<br>")
    if kind == _ABSOLUTE and not has_sum:
        raise ApiError("ERROR_CORE", "Discount Sum (DISCOUNT_SUM) is required if Monetary Discount<br>")


def _number(value: Any, default: float = 0.0) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return default


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value == int(value) else value
