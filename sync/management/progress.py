"""The progress of a long command: a bar on a terminal, a line from time to time anywhere else.

Both go to stderr, so that a command's output for programs stays clean.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import Any, TextIO

from tqdm import tqdm

LINE_SECONDS = 5.0
"""Between two lines where there is no terminal."""

MAX_COLUMNS = 100


@contextmanager
def progress(what: str, *, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Hand out a function to call with the number done so far.

    The last number is shown however the work ends: an interrupted command says how far it came.
    """
    if sys.stderr.isatty():
        # tqdm shows nothing on a terminal that does not know its size; so we give it one
        size = get_terminal_size()
        with tqdm(
            total=total,
            desc=what,
            file=sys.stderr,
            unit="",
            mininterval=0.2,
            ncols=min(MAX_COLUMNS, size.columns),
            nrows=size.lines,
        ) as bar:
            yield lambda done: _move(bar, done)
        return
    lines = _Lines(sys.stderr, what, total)
    try:
        yield lines.update
    finally:
        lines.write()


def _move(bar: Any, done: int) -> None:
    bar.update(done - bar.n)


class _Lines:
    """Plain lines, the first after LINE_SECONDS: a quick command writes only the last one."""

    def __init__(self, out: TextIO, what: str, total: int | None) -> None:
        self.out, self.what, self.total = out, what, total
        self.done = 0
        self.written_at = time.monotonic()

    def update(self, done: int) -> None:
        """Note the number done; write a line when the last one is LINE_SECONDS old."""
        self.done = done
        if time.monotonic() - self.written_at >= LINE_SECONDS:
            self.write()

    def write(self) -> None:
        """Write one line with the number done."""
        of_all = "" if self.total is None else f" of {self.total}"
        self.out.write(f"{self.what}: {self.done}{of_all}\n")
        self.out.flush()
        self.written_at = time.monotonic()
