"""What a field is: its type, its two names, and what may be done with it.

https://apidocs.bitrix24.com/api-reference/crm/deals/crm-deal-fields.html
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.emulators.bitrix24.names import camel

# Names that the universal methods spell differently from the old ones.
_ITEM_NAMES = {
    "CREATED_BY_ID": "CREATED_BY",
    "MODIFY_BY_ID": "UPDATED_BY",
    "MOVED_BY_ID": "MOVED_BY",
    "DATE_CREATE": "CREATED_TIME",
    "DATE_MODIFY": "UPDATED_TIME",
    "STATUS_ID": "STAGE_ID",
    "STATUS_SEMANTIC_ID": "STAGE_SEMANTIC_ID",
}


@dataclass(slots=True)
class Field:
    """One field of one kind of record."""

    name: str
    kind: str
    title: str = ""
    status_type: str = ""
    is_read_only: bool = False
    is_immutable: bool = False
    is_multiple: bool = False
    is_required: bool = False
    is_user_field: bool = False
    is_item_only: bool = False
    options: list[dict[str, Any]] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)
    upper_name: str = ""
    item_name: str = ""

    def __post_init__(self) -> None:
        """Derive the names that `crm.item.*` uses."""
        self.upper_name = self.upper_name or _ITEM_NAMES.get(self.name, self.name)
        self.item_name = self.item_name or camel(self.upper_name)

    def option_ids(self) -> set[int]:
        """IDs of the options of an enumeration."""
        return {int(option["ID"]) for option in self.options}

    def descriptor(self) -> dict[str, Any]:
        """The field as `crm.deal.fields` describes it."""
        described: dict[str, Any] = {
            "type": self.kind,
            "isRequired": self.is_required,
            "isReadOnly": self.is_read_only,
            "isImmutable": self.is_immutable,
            "isMultiple": self.is_multiple,
            "isDynamic": self.is_user_field,
            "title": self.name if self.is_user_field else self.title or self.name,
        }
        if self.status_type:
            described["statusType"] = self.status_type
        if self.kind == "enumeration":
            described["items"] = [{"ID": str(o["ID"]), "VALUE": o["VALUE"]} for o in self.options]
        if self.is_user_field:
            label = self.title or self.name
            described |= {"listLabel": label, "formLabel": label, "filterLabel": label, "settings": []}
        return described

    def item_descriptor(self) -> dict[str, Any]:
        """The field as `crm.item.fields` describes it."""
        described = self.descriptor()
        described["title"] = self.title or self.name
        described["upperName"] = self.upper_name
        return described


def table_of(lines: str) -> dict[str, Field]:
    """Read lines of `NAME type [STATUS_TYPE] [R I M N]`: read-only, immutable, multiple, items only."""
    fields = (_field(line.split()) for line in lines.strip().splitlines())
    return {field.name: field for field in fields}


def _field(words: list[str]) -> Field:
    name, kind, *rest = words
    flags = {word for word in rest if len(word) == 1}
    return Field(
        name=name,
        kind=kind,
        status_type=next((word for word in rest if len(word) > 1), ""),
        is_read_only="R" in flags,
        is_immutable="I" in flags,
        is_multiple="M" in flags,
        is_item_only="N" in flags,
    )
