"""Product rows of a deal.

https://apidocs.bitrix24.com/api-reference/crm/universal/product-rows/index.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sync.connectors.bitrix24.crm.shapes import rows_of
from sync.connectors.bitrix24.crm.values import as_kept
from sync.connectors.types import Command

PORTABLE = (
    "productName", "price", "quantity", "discountTypeId", "discountRate", "discountSum", "taxRate",
    "taxIncluded", "measureCode", "measureName", "sort",
)  # fmt: skip
"""What a row keeps on another portal: catalogue, store and reservation IDs mean nothing there."""


def product_rows_of(deal_id: str, *, start: int = 0) -> Command:
    """50 rows of a deal; read with `read_product_rows`, go on at `Answer.next_start`."""
    conditions = {"=ownerType": "D", "=ownerId": deal_id}
    return Command("crm.item.productrow.list", {"filter": conditions, "order": {"id": "asc"}, "start": start})


def read_product_rows(value: Any) -> list[dict[str, str]]:
    """The rows as another portal can take them, in order: free rows with name, price, quantity, discount
    and tax.
    """
    return [_portable(row) for row in rows_of(value, "productRows")]


def product_rows_set(deal_id: str, rows: Sequence[Mapping[str, Any]]) -> Command:
    """Replace all rows of a deal. The portal recounts OPPORTUNITY unless it is manual.

    [] removes them, but only alone in a request: a batch cannot say "an empty list", and the portal refuses.
    """
    written = [dict(row) for row in rows]
    return Command("crm.item.productrow.set", {"ownerType": "D", "ownerId": deal_id, "productRows": written})


def _portable(row: Mapping[str, Any]) -> dict[str, str]:
    kept = {name: as_kept(row.get(name)) for name in PORTABLE}
    return {"productId": "0"} | {name: value for name, value in kept.items() if value != ""}
