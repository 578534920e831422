"""Every method that the emulator knows."""

from collections.abc import Callable
from typing import Any

from sync.emulators.bitrix24 import imports, items, legacy, system, timeline
from sync.emulators.bitrix24.call import Call

METHODS: dict[str, Callable[[Call], Any]] = {
    **legacy.METHODS,
    **items.METHODS,
    **imports.METHODS,
    **timeline.METHODS,
    **system.METHODS,
}

# What a webhook or an application must be allowed, by the first word of the method.
SCOPE_OF = {"crm": "crm", "lists": "lists", "user": "user", "disk": "disk", "department": "department"}
