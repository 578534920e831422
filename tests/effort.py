"""The work of the database for each statement, by its own count: SQLite's instructions, MariaDB's reads.

Unlike time this is the same on every machine, so a test can say: no statement works more in a larger table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

INSTRUCTIONS = 100
"""SQLite calls us each time it has done so many instructions."""

_VALUES = re.compile(r"\((?:%s(?:, )?)+\)(?:, \((?:%s(?:, )?)+\))*")
_SAVEPOINT = re.compile(r"SAVEPOINT .*")


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Statement → the most work that one run of it took; how many values it has does not matter."""
    most: dict[str, int] = {}
    count = _in_sqlite if connection.vendor == "sqlite" else _in_mysql

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done, work = count(lambda: execute(sql, params, many, context))
        shape = _SAVEPOINT.sub("SAVEPOINT", _VALUES.sub("(…)", sql))
        most[shape] = max(most.get(shape, 0), work)
        return done

    with connection.execute_wrapper(note):
        yield most


def _in_sqlite(run: Any) -> tuple[Any, int]:
    """What `run` returns, and how many instructions it took."""
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    connection.connection.set_progress_handler(tick, INSTRUCTIONS)
    try:
        done = run()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return done, ticks * INSTRUCTIONS


def _in_mysql(run: Any) -> tuple[Any, int]:
    """What `run` returns, and how many rows and index entries it read."""
    before = _reads()
    done = run()
    return done, _reads() - before


def _reads() -> int:
    """Rows and index entries that this connection has read, this query included."""
    cursor = connection.connection.cursor()
    cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
    return sum(int(value) for _name, value in cursor.fetchall())
