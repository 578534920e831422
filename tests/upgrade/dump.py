"""The saved installation, brought to today and into a database of either engine."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from tests.processes import Site

HERE = Path(__file__).parent
LAST_MIGRATION = "0009"
"""Of our own at that version."""

UNIX = 1_000_000_000
"""A number of at least this size in a REAL column is a moment in Unix seconds."""

Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
"""Table → its columns and its rows."""


def portals_and_promises() -> dict[str, Any]:
    """What the two portals held, when that was, and what must have arrived in the end."""
    content: dict[str, Any] = json.loads(_text("c6f295d.json.gz"))
    return content


def into_sqlite(path: Path, *, later: timedelta) -> None:
    """The dump as a file, with all its moments so much later."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_text("c6f295d.sql.gz"))
        database.create_function("later", 1, lambda text: str(datetime.fromisoformat(text) + later))
        for table in _tables(database):
            for column, kind in _columns(database, table):
                if kind == "datetime":
                    database.execute(
                        f'UPDATE "{table}" SET "{column}" = later("{column}") WHERE "{column}" > ""'
                    )
                elif kind == "real":
                    seconds = later.total_seconds()
                    change = f'UPDATE "{table}" SET "{column}" = "{column}" + ? WHERE "{column}" > {UNIX}'
                    database.execute(change, [seconds])
        database.commit()


def into_mysql(site: Site, path: Path) -> None:
    """The rows of the file in the tables of the old version: other applications are of the same version."""
    for words in (
        ["contenttypes"],
        ["auth"],
        ["admin"],
        ["sessions"],
        ["django_q"],
        ["sync", LAST_MIGRATION],
    ):
        done = site.manage("migrate", *words, "--verbosity", "0")
        assert done.code == 0, done.err
    with site.orm(), connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        for table, (columns, rows) in rows_of(path).items():
            cursor.execute(f"DELETE FROM `{table}`")
            names, places = ", ".join(f"`{one}`" for one in columns), ", ".join(["%s"] * len(columns))
            if rows:
                cursor.executemany(f"INSERT INTO `{table}` ({names}) VALUES ({places})", rows)


def rows_of(path: Path) -> Rows:
    """Everything in the file."""
    with closing(sqlite3.connect(path)) as database:
        return {
            table: (
                [column for column, _kind in _columns(database, table)],
                database.execute(f'SELECT * FROM "{table}"').fetchall(),
            )
            for table in _tables(database)
        }


def _tables(database: sqlite3.Connection) -> list[str]:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [name for (name,) in found if not name.startswith("sqlite_")]


def _columns(database: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    found = database.execute(f'PRAGMA table_info("{table}")')
    return [(name, kind.lower()) for _number, name, kind, *_rest in found]


def _text(name: str) -> str:
    return gzip.decompress((HERE / name).read_bytes()).decode()
