"""A transaction that is tried again when the database made it step back; turns of SQLite's writers."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")

STEPPED_BACK = {1205, 1213}
"""MySQL: lock wait timeout, deadlock. The whole transaction is gone and may be repeated."""

TRIES = 5

_files: dict[tuple[int, str], IO[bytes]] = {}
"""By thread and name: two threads that shared an open file would share its lock."""


def _forget_files() -> None:
    """A forked process would hold its parent's locks beyond the parent's end."""
    for held in _files.values():
        held.close()
    _files.clear()


os.register_at_fork(after_in_child=_forget_files)


def atomically(work: Callable[[], T]) -> T:
    """Run `work` in a transaction; again, a few times, when it met a deadlock or a locked database.

    `work` must not have effects outside the database. Two workers that lock rows of several lanes in a
    different order meet in a deadlock now and then; the database lets one of them step back.
    """
    for attempt in range(1, TRIES):
        try:
            with _in_line("line"), in_turn(), transaction.atomic():
                return work()
        except OperationalError as error:
            if not (error.args and (error.args[0] in STEPPED_BACK or "locked" in str(error))):
                raise
            time.sleep(0.05 * attempt)
    with _in_line("line"), in_turn(), transaction.atomic():
        return work()


def in_turn() -> AbstractContextManager[None]:
    """On SQLite, wait here to write, not at the database's own lock; elsewhere nothing.

    SQLite lets one writer in at a time, and who finds it busy sleeps up to 100 ms and looks again, however
    soon it was free: under many writers an unlucky one starves for seconds. The kernel wakes whoever waits
    for a file, and frees the file when its holder is killed. Transactions wait in a line of their own before
    they take their turn, so that a webhook finds one of them before it, not one of every worker.
    """
    return _in_line("turn")


@contextmanager
def _in_line(name: str) -> Iterator[None]:
    """Hold the file `NAME-{name}` beside SQLite's.

    Who is inside a transaction has SQLite's lock already and must not wait. Files of their own: to close the
    database's would drop SQLite's locks on it (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    database = Path(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or connection.in_atomic_block or not database.is_file():
        yield
        return
    held = _file(database, name)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(held, fcntl.LOCK_UN)


def _file(database: Path, name: str) -> IO[bytes]:
    """The thread's own, kept open: to open it takes longer than to lock it."""
    key, path = (threading.get_ident(), name), f"{database}-{name}"
    held = _files.get(key)
    if held is None or held.name != path:
        held = _files[key] = Path(path).open("ab")  # noqa: SIM115  # closed by the next one, a fork or the end
    return held
