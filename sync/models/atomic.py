"""A transaction that is tried again when the database made it step back; turns of SQLite's writers."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")

STEPPED_BACK = {1205, 1213}
"""MySQL: lock wait timeout, deadlock. The whole transaction is gone and may be repeated."""

TRIES = 5


def atomically(work: Callable[[], T]) -> T:
    """Run `work` in a transaction; again, a few times, when it met a deadlock or a locked database.

    `work` must not have effects outside the database. Two workers that lock rows of several lanes in a
    different order meet in a deadlock now and then; the database lets one of them step back.
    """
    for attempt in range(1, TRIES):
        try:
            with in_turn(), transaction.atomic():
                return work()
        except OperationalError as error:
            if not (error.args and (error.args[0] in STEPPED_BACK or "locked" in str(error))):
                raise
            time.sleep(0.05 * attempt)
    with in_turn(), transaction.atomic():
        return work()


@contextmanager
def in_turn() -> Iterator[None]:
    """On SQLite, wait here to write, not at the database's own lock; elsewhere nothing.

    SQLite lets one writer in at a time, and who finds it busy sleeps up to 100 ms and looks again, however
    soon it was free: under many writers an unlucky one starves for seconds. The kernel wakes whoever waits
    for this file, in order, and frees it when its holder is killed. Who is inside a transaction has
    SQLite's lock already and must not wait. A file of its own: to close the database's file would drop
    SQLite's locks on it (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    path = Path(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or connection.in_atomic_block or not path.is_file():
        yield
        return
    with path.with_name(f"{path.name}-turn").open("ab") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
