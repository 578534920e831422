"""One emulated portal: its data, and the events that it sends."""

from typing import Any

from sandbox.emulators.bitrix24.default_data import add_default_data
from sandbox.emulators.bitrix24.events import EventHub
from sandbox.emulators.bitrix24.settings import Settings
from sandbox.emulators.bitrix24.state import PortalState
from sandbox.emulators.bitrix24.table import Table


class EmulatedPortal(PortalState):
    """A portal that behaves: it begins with the default data, and sends events about what happens."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Make a fresh portal with the default data."""
        super().__init__(settings or Settings())
        add_default_data(self)
        self.events = EventHub(self)

    def reset(self) -> None:
        """Forget all data and begin again with the default data."""
        with self.lock:
            self.clear()
            add_default_data(self)

    def content(self, table: Table) -> list[dict[str, Any]]:
        """A copy of all rows, safe to read without the lock."""
        with self.lock:
            return [dict(row) for row in table]
