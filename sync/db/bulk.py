"""Writing many rows with values of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any

from django.db import connection
from django.db.models import CharField, ForeignKey, Model, TextField
from django.db.models.constants import OnConflict

PLAIN: dict[type, type] = {CharField: str, TextField: str, ForeignKey: int}
"""Fields whose values of this type the database takes as they are."""


def insert_each(
    model: type[Model], rows: Sequence[Mapping[str, Any]], *, ignore_conflicts: bool = False
) -> None:
    """Store new rows, each with a value for every column of the model, in a transaction of the caller's.

    For rows whose IDs nobody needs back: Django's bulk_create asks for them, and takes longer to build its
    statement than the database needs to run it.
    """
    if not rows:
        return
    meta, quote = model._meta, connection.ops.quote_name
    fields: list[Any] = [field for field in meta.concrete_fields if field is not meta.auto_field]
    into = connection.ops.insert_statement(on_conflict=OnConflict.IGNORE if ignore_conflicts else None)
    names = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    values = (_column(field, map(itemgetter(field.attname), rows)) for field in fields)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"{into} {quote(meta.db_table)} ({names}) VALUES ({places})",
            list(zip(*values, strict=True)),
        )


def update_each(rows: Sequence[Model], columns: Sequence[str]) -> None:
    """Write these columns of stored rows in one statement.

    What Django's bulk_update does, without an expression for each value: those take it longer to build than
    the database needs for all of it. A column in which all rows agree needs no choice by row.
    """
    if not rows:
        return
    meta, quote = rows[0]._meta, connection.ops.quote_name
    key, ids = quote(str(meta.pk.column)), [row.pk for row in rows]
    by_row = f"CASE {key} {' '.join(['WHEN %s THEN %s'] * len(ids))} END"
    changes: list[str] = []
    params: list[Any] = []
    fields: list[Any] = [meta.get_field(name) for name in columns]
    for field in fields:
        values = _column(field, map(attrgetter(field.attname), rows))
        is_same = len(set(values)) == 1
        changes.append(f"{quote(field.column)} = {'%s' if is_same else by_row}")
        params += values[:1] if is_same else chain.from_iterable(zip(ids, values, strict=True))
    places = ", ".join(["%s"] * len(ids))
    statement = f"UPDATE {quote(meta.db_table)} SET {', '.join(changes)} WHERE {key} IN ({places})"  # noqa: S608  # names of ours
    with connection.cursor() as cursor:
        cursor.execute(statement, [*params, *ids])


def _column(field: Any, values: Iterable[Any]) -> list[Any]:
    """The values as the database takes them; one object that follows itself is prepared once."""
    prepared: list[Any] = []
    plain = PLAIN.get(type(field))
    last, ready = object(), None
    for value in values:
        if value is not last:
            last = value
            ready = value if type(value) is plain else field.get_db_prep_save(value, connection)
        prepared.append(ready)
    return prepared
