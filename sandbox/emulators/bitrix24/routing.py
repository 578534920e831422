"""Every method that the emulator knows."""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24 import (
    bindings,
    disk,
    duplicates,
    funnels,
    imports,
    items,
    legacy,
    links,
    lists,
    offline,
    products,
    system,
    timeline,
    userfields,
    users,
)
from sandbox.emulators.bitrix24.call import Call

# What a webhook or an application must be allowed, by the first word of the method.
SCOPE_OF = {"crm": "crm", "lists": "lists", "user": "user", "disk": "disk", "department": "department"}


def method_get(call: Call) -> dict[str, bool]:
    """`method.get`: whether a method exists and whether the caller may use it.

    https://apidocs.bitrix24.com/api-reference/common/system/method-get.html
    """
    name = str(call.get("name") or "").lower()
    scope = SCOPE_OF.get(name.partition(".")[0])
    exists = name in METHODS or name == "batch"
    return {"isExisting": exists, "isAvailable": exists and scope in {None, *call.portal.settings.scopes}}


METHODS: dict[str, Callable[[Call], Any]] = {
    "method.get": method_get,
    **bindings.METHODS,
    **disk.METHODS,
    **duplicates.METHODS,
    **funnels.METHODS,
    **imports.METHODS,
    **items.METHODS,
    **legacy.METHODS,
    **links.METHODS,
    **lists.METHODS,
    **offline.METHODS,
    **products.METHODS,
    **system.METHODS,
    **timeline.METHODS,
    **userfields.METHODS,
    **users.METHODS,
}
