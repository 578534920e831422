"""From a portal's row to a record of a directory: pure, by the directory's field map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from sync.connectors.bitrix24.crm.shapes import Row
from sync.connectors.bitrix24.directories import SOURCES, Source, plain
from sync.errors import NeedsStaff
from sync.models import Directory

Labels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Record:
    """One record as it was read: its ID, the texts of its columns, its parent's ID, or why it is useless."""

    key: str
    values: dict[str, str] = field(default_factory=dict)
    parent: str = ""
    error: str = ""

    def packed(self) -> dict[str, Any]:
        """As JSON, without what is empty."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Column:
    """One row of the field map."""

    column: str
    field: str
    is_label: bool = False
    is_required: bool = False


@dataclass(frozen=True)
class Shape:
    """What a directory takes from each row."""

    key: str
    columns: tuple[Column, ...]
    parent_field: str = ""

    @classmethod
    def of(cls, directory: Directory) -> Shape:
        """The field map as stored; NeedsStaff when there is none."""
        rows = directory.fields.values_list("column", "field", "is_label", "is_required")
        if not rows:
            raise NeedsStaff(
                _("%(slug)s: no field is mapped to a column. Add one, then press Retry.")
                % {"slug": directory.slug}
            )
        key = directory.key or source_of(directory).key
        parent_field = directory.parent_field if directory.parent_id else ""
        return cls(key, tuple(Column(*row) for row in rows), parent_field)

    @property
    def needs_labels(self) -> bool:
        """Whether the texts of choices are wanted."""
        return any(column.is_label for column in self.columns)

    def record(self, row: Row, labels: Labels) -> Record:
        """One row read; a fault is part of the record, so that it stops no other."""
        key = plain(row.get(self.key))
        if not key:
            return Record("", error=_("The record has no %(field)s.") % {"field": self.key})
        values = {one.column: _value(one, row, labels) for one in self.columns}
        missing = [one.field for one in self.columns if one.is_required and not values[one.column]]
        if missing:
            return Record(key, error=_("Empty: %(fields)s.") % {"fields": ", ".join(missing)})
        return Record(key, values, plain(row.get(self.parent_field)) if self.parent_field else "")


def source_of(directory: Directory) -> Source:
    """The method of a directory; NeedsStaff when a parameter it needs is not given."""
    source = SOURCES[directory.method]
    missing = [name for name in source.needs if name not in directory.params]
    if missing:
        raise NeedsStaff(
            _(
                "%(slug)s: %(method)s needs the parameters %(missing)s. Add them to the directory, then "
                "press Retry."
            )
            % {"slug": directory.slug, "method": directory.method, "missing": ", ".join(missing)}
        )
    return source


def _value(column: Column, row: Row, labels: Labels) -> str:
    value = plain(row.get(column.field))
    return labels.get(column.field, {}).get(value, value) if column.is_label else value
