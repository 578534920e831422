"""Deals: read, create, change, find.

https://apidocs.bitrix24.com/api-reference/crm/universal/index.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sync.connectors.bitrix24.crm.items import (
    add_item,
    items_by_ids,
    items_by_origin,
    list_items,
    read_items,
    update_item,
)
from sync.connectors.bitrix24.crm.names import DEAL
from sync.connectors.types import Command, Record


def deals_by_ids(ids: Sequence[str]) -> Command:
    """Up to 50 whole deals; read with `read_deals`. A deal that is missing is deleted, or hidden from us."""
    return items_by_ids(DEAL, ids)


def read_deals(value: Any) -> dict[str, Record]:
    """Deals by ID, with upper-case names."""
    return read_items(DEAL, value)


def add_deal(fields: Mapping[str, Any]) -> Command:
    """Create a deal; read with `read_added`. Not idempotent: look up by origin after a lost answer."""
    return add_item(DEAL, fields)


def update_deal(deal_id: str, fields: Mapping[str, Any]) -> Command:
    """Change the given fields. A stage of another funnel needs CATEGORY_ID beside STAGE_ID."""
    return update_item(DEAL, deal_id, fields)


def deals_by_origin(originator: str, origin_ids: Sequence[str]) -> Command:
    """Deals that carry one of up to 50 origin IDs; read with `read_origins`."""
    return items_by_origin(DEAL, originator, origin_ids)


def newest_deal(changed_since: str = "") -> Command:
    """The deal with the largest ID, or of those changed at or after an ISO moment; see `read_listed`."""
    page = list_items(
        DEAL, {">=updatedTime": changed_since} if changed_since else {}, select=("id", "updatedTime")
    )
    return Command(page.method, {**page.params, "order": {"id": "DESC"}})


def deals_between(after_id: int, up_to_id: int, changed_since: str = "") -> Command:
    """The first 50 deals with `after_id` < ID ≤ `up_to_id`, by ID; see `read_listed`."""
    changed = {">=updatedTime": changed_since} if changed_since else {}
    return list_items(DEAL, {">id": after_id, "<=id": up_to_id, **changed}, select=("id", "updatedTime"))
