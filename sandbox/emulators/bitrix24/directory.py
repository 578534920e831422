"""What a portal keeps beside records: funnels, statuses, users, departments, currencies, lists."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.emulators.bitrix24.table import Row, Table


@dataclass(slots=True)
class UniversalList:
    """One universal list: `fields` are keyed by FIELD_ID, elements keep `PROPERTY_n` as {value ID: value}."""

    iblock_id: int
    type_id: str
    name: str
    code: str = ""
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    elements: Table = field(default_factory=Table)


class Directory:
    """Reference rows in the vendor's own shapes."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.statuses = Table()
        self.categories: dict[int, Table] = {}
        self.users = Table()
        self.departments = Table()
        self.currencies: list[Row] = []
        self.types = Table()
        self.user_fields = Table()
        self.products = Table()
        self.lists: dict[int, UniversalList] = {}
        self.list_values = Table()
        self._stages: dict[str, list[Row]] = {}

    def add_status(self, row: Row) -> None:
        """Keep one status row."""
        self.statuses.insert({"ID": self.statuses.next_id()} | row)
        self._stages.clear()

    def stages(self, stage_entity: str) -> list[Row]:
        """Status rows of one ENTITY_ID in their order."""
        if stage_entity not in self._stages:
            rows = [row for row in self.statuses if row["ENTITY_ID"] == stage_entity]
            self._stages[stage_entity] = sorted(rows, key=lambda row: int(row["SORT"]))
        return self._stages[stage_entity]

    def stage(self, stage_entity: str, status_id: Any) -> Row | None:
        """One stage of one funnel, or None when the funnel has no such stage."""
        return next((row for row in self.stages(stage_entity) if row["STATUS_ID"] == status_id), None)
