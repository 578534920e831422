"""Employees: who wrote a comment.

https://apidocs.bitrix24.com/api-reference/user/user-get.html
"""

from collections.abc import Sequence
from typing import Any

from sync.connectors.bitrix24.crm.items import PAGE
from sync.connectors.bitrix24.crm.shapes import rows_of
from sync.connectors.types import Command


def users_by_ids(ids: Sequence[str]) -> Command:
    """Up to 50 employees; read with `read_user_names`. Needs the `user` permission (`user_brief` does)."""
    if not 1 <= len(ids) <= PAGE:
        raise ValueError(f"1 to {PAGE} IDs, not {len(ids)}")
    return Command("user.get", {"FILTER": {"ID": list(ids)}})


def read_user_names(value: Any) -> dict[str, str]:
    """User ID → first and last name; absent are those without one, bots and system users."""
    names = {
        str(row["ID"]): " ".join(str(row[key]) for key in ("NAME", "LAST_NAME") if row.get(key))
        for row in rows_of(value)
    }
    return {user_id: name for user_id, name in names.items() if name.strip()}
