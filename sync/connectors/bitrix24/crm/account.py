"""The portal itself: who we are there, what we may, and which fields, funnels and stages it has.

https://apidocs.bitrix24.com/api-reference/common/system/index.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync.connectors.bitrix24.crm.items import ORIGINAL_NAMES
from sync.connectors.bitrix24.crm.names import DEAL, upper_name
from sync.connectors.bitrix24.crm.shapes import map_of, rows_of
from sync.connectors.types import Command, Introspection, Profile


@dataclass(frozen=True)
class FieldInfo:
    """A field as the portal describes it. `items` are the choices of an enumeration: ID → label."""

    title: str
    type: str
    is_required: bool = False
    is_multiple: bool = False
    is_read_only: bool = False
    items: Mapping[str, str] = field(default_factory=dict)


def who_am_i() -> Command:
    """The webhook's owner; read with `read_profile`."""
    return Command("profile")


def read_profile(value: Any) -> Profile:
    """The owner's ID, name and whether they are an administrator."""
    message = map_of(value)
    name = " ".join(str(message[key]) for key in ("NAME", "LAST_NAME") if message.get(key))
    return Profile(str(message.get("ID") or ""), name, message.get("ADMIN") in (True, "Y", "true", 1, "1"))


def scopes() -> Command:
    """The permissions of the webhook; the answer is a list of words (`crm`, `disk`, …)."""
    return Command("scope")


def server_time() -> Command:
    """The portal's clock; read with `read_time`."""
    return Command("server.time")


def read_time(value: Any) -> datetime | None:
    """The portal's clock as a moment with its zone; None when it sent none."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def read_scopes(value: Any) -> list[str] | None:
    """The permissions; None when the answer is no list."""
    return value if isinstance(value, list) else None


def method_exists(name: str) -> Command:
    """Whether a method is there and open to us; read with `read_method`."""
    return Command("method.get", {"name": name})


def read_method(value: Any) -> tuple[bool, bool]:
    """(exists, is available to us)."""
    message = map_of(value)
    return bool(message.get("isExisting")), bool(message.get("isAvailable"))


def deal_fields() -> Command:
    """The fields of deals; read with `read_fields`."""
    return Command("crm.item.fields", {"entityTypeId": DEAL, **ORIGINAL_NAMES})


def read_fields(value: Any, kind: int = DEAL) -> dict[str, FieldInfo]:
    """Upper-case name, as records have it → what the field is."""
    rows = map_of(map_of(value).get("fields"))
    return {_name(str(name), map_of(row), kind): field_info(row) for name, row in rows.items()}


def _name(name: str, row: Mapping[str, Any], kind: int) -> str:
    """The portal's `upperName` for user fields only: it says CREATED_TIME where people know DATE_CREATE."""
    message = str(row.get("upperName") or "")
    return message if message.startswith("UF_") else upper_name(name, kind)


def field_info(row: Mapping[str, Any]) -> FieldInfo:
    """One row of a portal's description of fields."""
    items = row.get("items")
    choices = {str(item["ID"]): str(item["VALUE"]) for item in items} if isinstance(items, list) else {}
    labels = (row.get(key) for key in ("formLabel", "listLabel", "title"))
    return FieldInfo(
        title=str(next(filter(None, labels), "")),
        type=str(row.get("type") or ""),
        is_required=_is_yes(row.get("isRequired")),
        is_multiple=_is_yes(row.get("isMultiple")),
        is_read_only=_is_yes(row.get("isReadOnly")),
        items=choices,
    )


def _is_yes(value: Any) -> bool:
    return value in (True, "Y", "true", 1, "1")


def deal_funnels() -> Command:
    """The funnels of deals; read with `read_funnels`."""
    return Command("crm.category.list", {"entityTypeId": DEAL})


def read_funnels(value: Any) -> dict[str, str]:
    """Funnel ID → name."""
    return {str(row["id"]): str(row["name"]) for row in rows_of(value, "categories")}


def deal_stages(category_id: str = "0") -> Command:
    """The stages of one funnel; read with `read_stages`."""
    entity = "DEAL_STAGE" if category_id in ("", "0") else f"DEAL_STAGE_{category_id}"
    return Command("crm.status.list", {"filter": {"ENTITY_ID": entity}, "order": {"SORT": "ASC"}})


def read_stages(value: Any) -> dict[str, str]:
    """STAGE_ID value → name, in the funnel's order."""
    return {str(row["STATUS_ID"]): str(row["NAME"]) for row in rows_of(value)}


INTROSPECTION = Introspection(
    profile=who_am_i(),
    read_profile=read_profile,
    scopes=scopes(),
    read_scopes=read_scopes,
    time=server_time(),
    read_time=read_time,
    method=method_exists,
    read_method=read_method,
)
