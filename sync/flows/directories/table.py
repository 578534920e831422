"""A table of reference data, ours or another application's: only columns that a directory names are touched.

Plain SQL, since the table and its columns are settings; the same statements run on SQLite, MariaDB and MySQL.
Rows are found by their ID in Bitrix24 and changed by their own primary key, many at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.errors import NeedsStaff, TryLater
from sync.flows.directories.kinds import KIND_OF, Value, shaped
from sync.models import City, Directory, Object, ReferenceRecord, User, Violation, ViolationCategory

LOOKED_UP = 1000
"""IDs in one look-up."""

INSERTED = 500
"""Rows in one INSERT."""

CHANGED = 100
"""Rows in one UPDATE: its CASE grows with them."""


OWN_TABLES = tuple(
    model._meta.db_table for model in (City, Object, ViolationCategory, Violation, User, ReferenceRecord)
)
"""What may be written in our own database; another application's database is its owner's choice."""


@dataclass(frozen=True)
class Row:
    """A row as it is: its primary key, its record's ID, whether it is marked as gone, its values."""

    pk: Any
    key: str
    is_gone: bool
    values: dict[str, Value]


@dataclass(frozen=True)
class Table:
    """`columns`: those we write; `kinds`: of all columns; `fixed`: what makes a row ours."""

    alias: str
    name: str
    pk: str
    key: str
    gone: str
    kinds: Mapping[str, str]
    columns: tuple[str, ...]
    fixed: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, directory: Directory, columns: Iterable[str]) -> Table:
        """The directory's table, looked at; NeedsStaff when it or one of its columns is not there."""
        alias = settings.DIRECTORIES_ALIAS
        name = directory.table or ReferenceRecord._meta.db_table
        if alias == DEFAULT_DB_ALIAS and name not in OWN_TABLES:
            # whoever may edit directories must not write accounts or portals by way of them
            raise NeedsStaff(
                _("%(slug)s: the table %(table)s is not for reference data. Choose one of: %(tables)s.")
                % {"slug": directory.slug, "table": name, "tables": ", ".join(OWN_TABLES)}
            )
        kinds, pk = _looked_at(alias, name, directory.slug)
        fixed = {"directory": directory.slug} if directory.is_generic else {}
        wanted = tuple(dict.fromkeys(columns))
        named = [directory.key_column, directory.gone_column, *wanted, *fixed, *directory.adoption_columns]
        if missing := [column for column in named if column and column not in kinds]:
            raise NeedsStaff(
                _(
                    "%(slug)s: the table %(table)s has no column %(missing)s. Correct the directory, then "
                    "press Retry."
                )
                % {"slug": directory.slug, "table": name, "missing": ", ".join(missing)}
            )
        return cls(alias, name, pk, directory.key_column, directory.gone_column, kinds, wanted, fixed)

    def shape(self, column: str, value: Any) -> Value:
        """The value as the column holds it; ValueError when it cannot."""
        return shaped(self.kinds[column], value)

    def by_key(self, keys: Sequence[str]) -> dict[str, Row]:
        """The rows of these records, by ID."""
        wanted = [self.shape(self.key, key) for key in keys]
        return {row.key: row for row in self._rows(self.key, wanted)}

    def without_key(self, column: str, values: Sequence[Value]) -> list[Row]:
        """Rows that no record stands behind yet and that have one of these values, the oldest first."""
        empty = f"{self._q(self.key)} IS NULL"
        if self.kinds[self.key] == "text":
            empty = f"({empty} OR {self._q(self.key)} = '')"
        return sorted(self._rows(column, values, also=empty), key=lambda row: row.pk)

    def pks(self, keys: Sequence[str]) -> dict[str, Any]:
        """Primary key by record ID: what children point to."""
        return {key: row.pk for key, row in self.by_key(keys).items()}

    def present(self) -> Iterator[list[tuple[Any, str]]]:
        """Primary key and ID of all rows with an ID that are not marked as gone, a thousand at a time."""
        q, last = self._q, None
        here = [f"{q(self.key)} IS NOT NULL", *([self._is_here()] if self.gone else [])]
        here += [f"{q(column)} = %s" for column in self.fixed]
        while True:
            where = [*here, *([f"{q(self.pk)} > %s"] if last is not None else [])]
            sql = (
                f"SELECT {q(self.pk)}, {q(self.key)} FROM {q(self.name)} WHERE {' AND '.join(where)} "
                f"ORDER BY {q(self.pk)} LIMIT {LOOKED_UP}"
            )
            rows = self._all(sql, [*self.fixed.values(), *([last] if last is not None else [])])
            if not rows:
                return
            last = rows[-1][0]
            yield [(pk, str(key)) for pk, key in rows if str(key)]

    def count(self) -> int:
        """How many rows have an ID and are not marked as gone."""
        q = self._q
        here = [f"{q(self.key)} IS NOT NULL", *([self._is_here()] if self.gone else [])]
        here += [f"{q(column)} = %s" for column in self.fixed]
        sql = f"SELECT COUNT(*) FROM {q(self.name)} WHERE {' AND '.join(here)}"
        return int(self._all(sql, list(self.fixed.values()))[0][0])

    def insert(self, rows: Sequence[Mapping[str, Value]]) -> None:
        """New rows; all have the same columns."""
        columns = [*rows[0], *self.fixed]
        group = f"({', '.join(['%s'] * len(columns))})"
        head = f"INSERT INTO {self._q(self.name)} ({', '.join(map(self._q, columns))}) VALUES "
        for part in _parts(rows, INSERTED):
            values = [value for row in part for value in (*row.values(), *self.fixed.values())]
            self._run(head + ", ".join([group] * len(part)), values)

    def update(self, changes: Mapping[Any, Mapping[str, Value]]) -> None:
        """Primary key → columns and their new values."""
        for part in _parts(list(changes.items()), CHANGED):
            columns = dict.fromkeys(column for _pk, values in part for column in values)
            sets, params = [], []
            for column in columns:
                named = [(pk, values[column]) for pk, values in part if column in values]
                q = self._q(column)
                sets.append(f"{q} = CASE {self._q(self.pk)}{' WHEN %s THEN %s' * len(named)} ELSE {q} END")
                params += [value for pair in named for value in pair]
            marks = ", ".join(["%s"] * len(part))
            sql = f"UPDATE {self._q(self.name)} SET {', '.join(sets)} WHERE {self._q(self.pk)} IN ({marks})"
            self._run(sql, [*params, *(pk for pk, _values in part)])

    def gone_mark(self) -> Value:
        """What marks a row as gone, now."""
        return 1 if self._gone_is_flag else timezone.now().strftime("%Y-%m-%d %H:%M:%S")

    def here_mark(self) -> Value:
        """What marks a row as not gone."""
        return 0 if self._gone_is_flag else None

    @property
    def _gone_is_flag(self) -> bool:
        return self.kinds[self.gone] in ("flag", "whole")

    def _is_here(self) -> str:
        q = self._q(self.gone)
        return f"({q} IS NULL OR {q} = 0)" if self._gone_is_flag else f"{q} IS NULL"

    def _rows(self, column: str, values: Sequence[Value], *, also: str = "") -> list[Row]:
        q, rows = self._q, []
        gone = f"NOT ({self._is_here()})" if self.gone else "0"
        chosen = ", ".join([q(self.pk), q(self.key), gone, *map(q, self.columns)])
        for part in _parts(values, LOOKED_UP):
            where = [f"{q(column)} IN ({', '.join(['%s'] * len(part))})", *([also] if also else [])]
            where += [f"{q(name)} = %s" for name in self.fixed]
            sql = f"SELECT {chosen} FROM {q(self.name)} WHERE {' AND '.join(where)}"
            rows += self._all(sql, [*part, *self.fixed.values()])
        return [self._row(*row) for row in rows]

    def _row(self, pk: Any, key: Any, is_gone: int, *values: Any) -> Row:
        named = zip(self.columns, values, strict=True)
        shaped_values = {column: self.shape(column, value) for column, value in named}
        return Row(pk, "" if key is None else str(key), bool(is_gone), shaped_values)

    def _all(self, sql: str, params: Sequence[Any]) -> list[Any]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    def _run(self, sql: str, params: Sequence[Any]) -> None:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql, params)

    def _q(self, name: str) -> str:
        return str(connections[self.alias].ops.quote_name(name))


def _parts(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _looked_at(alias: str, name: str, slug: str) -> tuple[dict[str, str], str]:
    """The kinds of all columns of a table, and its primary key."""
    connection = connections[alias]
    try:
        with connection.cursor() as cursor:
            if name not in connection.introspection.table_names(cursor):
                raise NeedsStaff(
                    _(
                        "%(slug)s: there is no table %(table)s. Make it (manage.py migrate --database "
                        "%(alias)s) or correct the directory, then press Retry."
                    )
                    % {"slug": slug, "table": name, "alias": alias}
                )
            described = connection.introspection.get_table_description(cursor, name)
            pk = connection.introspection.get_primary_key_column(cursor, name)
    except DatabaseError as error:
        raise TryLater(
            _("%(slug)s: the database of the directories: %(error)s") % {"slug": slug, "error": error}
        ) from error
    if not pk:
        raise NeedsStaff(
            _("%(slug)s: the table %(table)s has no primary key of one column.")
            % {"slug": slug, "table": name}
        )
    kind_of = connection.introspection.get_field_type
    return {one.name: KIND_OF.get(str(kind_of(one.type_code, one)), "text") for one in described}, pk
