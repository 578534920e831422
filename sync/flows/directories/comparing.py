"""Comparing records with the rows that are there: what would be created, changed, adopted. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from sync.flows.directories.counts import Counts, as_seen
from sync.flows.directories.extracting import Record
from sync.flows.directories.kinds import Value
from sync.flows.directories.table import Row, Table
from sync.models import Directory

GENERIC = ("name", "details")
"""Columns of a reference record; every mapped field that is not one of them goes into the details."""

PARENT = "parent_id"


@dataclass
class Plan:
    """`inserts`: records and their new rows; `updates`: primary key → record and changed columns."""

    inserts: list[tuple[Record, dict[str, Value]]] = field(default_factory=list)
    updates: dict[Any, tuple[Record, dict[str, Value]]] = field(default_factory=dict)


@dataclass
class Comparison:
    """One pass over a directory's records. `is_dry_run`: parents may be created by the same real run."""

    directory: Directory
    table: Table
    parents: Table | None
    is_dry_run: bool = False
    counts: Counts = field(default_factory=Counts)
    adopted: set[Any] = field(default_factory=set)

    @classmethod
    def of(cls, directory: Directory, *, is_dry_run: bool = False) -> Comparison:
        """With the directory's table and its parent's; NeedsStaff when one is not as the settings say."""
        table = Table.of(directory, columns_of(directory))
        parent = directory.parent
        parents = Table.of(parent, columns_of(parent)) if parent else None
        return cls(directory, table, parents, is_dry_run)

    def plan(self, records: list[Record]) -> Plan:
        """What to write for these records; what happens to each is counted and noted."""
        wanted = self._wanted(records)
        rows = self.table.by_key(list(wanted))
        fresh = {key: values for key, (_record, values) in wanted.items() if key not in rows}
        adoptable = self._adoptable(fresh)
        plan = Plan()
        for key, (record, values) in wanted.items():
            if row := rows.get(key):
                self._change(plan, record, row, values)
            elif key in adoptable:
                self._adopt(plan, record, adoptable[key], values)
            else:
                plan.inserts.append((record, {self.table.key: self._key(key), **values}))
                self.counts.note("created", key, _told(values))
        return plan

    def missing(self, present: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
        """Of these rows, those whose records the source did not show."""
        return [(pk, key) for pk, key in present if as_seen(key) not in self.counts.seen]

    def _wanted(self, records: list[Record]) -> dict[str, tuple[Record, dict[str, Value]]]:
        """The records that are whole, by ID, with their columns' values; the others are noted as errors."""
        parents = self._parents(records)
        wanted: dict[str, tuple[Record, dict[str, Value]]] = {}
        for record in records:
            is_new = self.counts.see(record.key) if record.key else True
            if not is_new:
                continue
            try:
                wanted[record.key] = (record, self._values(record, parents))
            except ValueError as error:
                self.counts.note("errors", record.key, str(error))
        return wanted

    def _parents(self, records: list[Record]) -> dict[str, Any]:
        keys = list(dict.fromkeys(record.parent for record in records if record.parent))
        try:
            return self.parents.pks(keys) if self.parents and keys else {}
        except ValueError:  # one of the IDs is none: ask one by one
            return {key: pk for key in keys for pk in self._parent(key)}

    def _parent(self, key: str) -> list[Any]:
        try:
            return list(self.parents.pks([key]).values()) if self.parents else []
        except ValueError:
            return []

    def _values(self, record: Record, parents: Mapping[str, Any]) -> dict[str, Value]:
        if record.error:
            raise ValueError(record.error)
        self._key(record.key)
        texts: dict[str, Any] = dict(record.values)
        if self.directory.is_generic:
            rest = {name: texts.pop(name) for name in list(texts) if name != "name"}
            texts = {
                "name": texts.get("name", ""),
                "details": json.dumps(rest, ensure_ascii=False, sort_keys=True),
            }
        if self.parents:
            texts[parent_column(self.directory)] = self._parent_pk(record, parents)
        return {column: self._shape(column, text) for column, text in texts.items()}

    def _parent_pk(self, record: Record, parents: Mapping[str, Any]) -> Any:
        if not record.parent or record.parent in parents or self.is_dry_run:
            return parents.get(record.parent)
        parent = self.directory.parent
        words = {"key": record.parent, "slug": parent.slug if parent else ""}
        raise ValueError(_("Its parent %(key)s is not in %(slug)s.") % words)

    def _key(self, key: str) -> Value:
        return self._shape(self.table.key, key)

    def _shape(self, column: str, text: Any) -> Value:
        try:
            return self.table.shape(column, text)
        except ValueError as error:
            words = {"value": text, "column": column, "kind": self.table.kinds[column]}
            raise ValueError(
                _("“%(value)s” does not fit into the column %(column)s (%(kind)s).") % words
            ) from error

    def _change(self, plan: Plan, record: Record, row: Row, values: dict[str, Value]) -> None:
        changed = {column: value for column, value in values.items() if row.values[column] != value}
        message = "; ".join(f"{column}: {row.values[column]} → {changed[column]}" for column in changed)
        if row.is_gone:
            changed[self.table.gone] = self.table.here_mark()
            message = "; ".join(filter(None, [_("it is back"), message]))
        if not changed:
            self.counts.counts["unchanged"] += 1
            return
        plan.updates[row.pk] = (record, changed)
        self.counts.note("updated", record.key, message)

    def _adopt(self, plan: Plan, record: Record, row: Row, values: dict[str, Value]) -> None:
        changed = {column: value for column, value in values.items() if row.values[column] != value}
        plan.updates[row.pk] = (record, {self.table.key: self._key(record.key), **changed})
        self.adopted.add(row.pk)
        self.counts.note(
            "adopted", record.key, _("row %(pk)s: %(values)s") % {"pk": row.pk, "values": _told(values)}
        )

    def _adoptable(self, fresh: Mapping[str, dict[str, Value]]) -> dict[str, Row]:
        """Record ID → the local row with the same name (and parent) that no record stands behind yet."""
        columns = [name for name in self.directory.adoption_columns if name in self.table.columns]
        if not columns or not fresh:
            return {}
        same = [*columns, *([parent_column(self.directory)] if self.parents else [])]
        asked = list(dict.fromkeys(values[columns[0]] for values in fresh.values()))
        free: dict[tuple[Value, ...], list[Row]] = {}
        for row in self.table.without_key(columns[0], asked):
            if row.pk not in self.adopted:
                free.setdefault(tuple(row.values[name] for name in same), []).append(row)
        found: dict[str, Row] = {}
        for key, values in fresh.items():
            rows = free.get(tuple(values[name] for name in same))
            if rows:
                found[key] = rows.pop(0)
        return found


def columns_of(directory: Directory) -> list[str]:
    """The columns a directory writes, beside the ID and the mark of what is gone."""
    own = list(GENERIC) if directory.is_generic else [row.column for row in directory.fields.all()]
    return [*own, *([parent_column(directory)] if directory.parent_id else [])]


def parent_column(directory: Directory) -> str:
    """The column that points to the parent's row."""
    return PARENT if directory.is_generic else directory.parent_column


def _told(values: Mapping[str, Value]) -> str:
    return ", ".join(f"{column}: {value}" for column, value in values.items() if value not in (None, ""))
