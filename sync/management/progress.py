"""How far a long command is: a bar on a terminal, now and then a line anywhere else.

Both go to stderr, so that what a command prints for programs stays clean.
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
"""Between two lines where there is no terminal: a log is read, not watched."""

WIDEST = 100


@contextmanager
def progress(what: str, *, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Hand out a function to call with the number done so far.

    On the way out the last number is told whatever ended the work: an interrupted command says how far it
    came.
    """
    if sys.stderr.isatty():
        # tqdm shows nothing on a terminal that does not know its size; so the size is told
        size = get_terminal_size()
        with tqdm(
            total=total,
            desc=what,
            file=sys.stderr,
            unit="",
            mininterval=0.2,
            ncols=min(WIDEST, size.columns),
            nrows=size.lines,
        ) as bar:
            yield lambda done: _move(bar, done)
        return
    lines = _Lines(sys.stderr, what, total)
    try:
        yield lines.reach
    finally:
        lines.tell()


def _move(bar: Any, done: int) -> None:
    bar.update(done - bar.n)


class _Lines:
    """Plain lines, the first after LINE_SECONDS: a command that is quick needs none on its way."""

    def __init__(self, out: TextIO, what: str, total: int | None) -> None:
        self.out, self.what, self.total = out, what, total
        self.done = 0
        self.told_at = time.monotonic()

    def reach(self, done: int) -> None:
        """So many are done; a line when the last one is a while ago."""
        self.done = done
        if time.monotonic() - self.told_at >= LINE_SECONDS:
            self.tell()

    def tell(self) -> None:
        """One line with where we are."""
        of_all = "" if self.total is None else f" of {self.total}"
        self.out.write(f"{self.what}: {self.done}{of_all}\n")
        self.out.flush()
        self.told_at = time.monotonic()
