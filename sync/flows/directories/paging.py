"""How far a reading is, and which pages come next: pure. It is the data of the job, a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sync.connectors.bitrix24.directories import PAGE, Params, Source
from sync.connectors.types import Answer, Command
from sync.gateway.id_ranges import Range, cut

MAX_PAGES = 50

MAX_REPEATS = 2
"""A list that changes while it is read is read again so often; then nothing is taken for gone."""


@dataclass
class Progress:
    """`total`: records the portal tells of, None while unknown; `start`: the next offset; `ranges`: IDs left,
    as [after, up to]; `rows`: records read; `again`: how often it was begun anew; `is_shaky`: it changed
    while it was read, so a record may be missing.
    """

    labels: dict[str, dict[str, str]] | None = None
    total: int | None = None
    start: int = 0
    ranges: list[list[int]] | None = None
    rows: int = 0
    again: int = 0
    is_shaky: bool = False

    def packed(self) -> dict[str, Any]:
        """As the data of a job."""
        return asdict(self)

    def pages_left(self) -> int:
        """How many pages could be asked for now; of ranges no more than a request holds."""
        if self.ranges is not None:
            return len(_cut(self, MAX_PAGES)) if self.ranges else 0
        if self.total is None:
            return 1
        return max(0, -(-(self.total - self.start) // PAGE))


def first_command(source: Source, params: Params) -> Command:
    """The first page, or the question how far the IDs go."""
    return source.newest(params) if source.paging == "ranges" else source.page(params, 0)


def after_first(progress: Progress, source: Source, answer: Answer, params: Params) -> list[Any]:
    """The rows of the first answer that are to be kept; `progress` learns what is left."""
    rows = source.read(answer.result(), params)
    if source.paging == "ranges":
        progress.ranges = [[0, int(rows[0][source.key])]] if rows else []
        return []
    progress.start, progress.rows = PAGE, len(rows)
    is_whole = source.paging == "whole" or answer.next_start is None
    progress.total = len(rows) if is_whole else answer.total
    return rows


def next_commands(progress: Progress, source: Source, params: Params, room: int) -> tuple[Command, ...]:
    """The next pages, at most `room` of them."""
    if progress.ranges is None:
        pages = min(room, progress.pages_left())
        return tuple(source.page(params, progress.start + PAGE * number) for number in range(pages))
    return tuple(source.between(params, one.after, one.up_to) for one in _cut(progress, room)[:room])


def after_next(progress: Progress, source: Source, answers: Sequence[Answer], params: Params) -> list[Any]:
    """The rows of those pages; `progress` learns what is left."""
    pages = [source.read(answer.result(), params) for answer in answers]
    rows = [row for page in pages for row in page]
    progress.rows += len(rows)
    if progress.ranges is None:
        _note_offsets(progress, answers)
        return rows
    ranges = _cut(progress, len(answers))
    asked, waiting = ranges[: len(answers)], ranges[len(answers) :]
    left = [_rest(one, page, source.key) for one, page in zip(asked, pages, strict=True)]
    progress.ranges = [[one.after, one.up_to] for one in [*waiting, *filter(None, left)]]
    return rows


def is_through(progress: Progress) -> bool:
    """Whether all has been read."""
    if progress.ranges is not None:
        return not progress.ranges
    return progress.total is not None and progress.start >= progress.total


def must_begin_anew(progress: Progress) -> bool:
    """Whether the list changed while it was read: pages by offset skip records then."""
    if progress.ranges is None and is_through(progress) and progress.rows != progress.total:
        progress.is_shaky = True
    return progress.is_shaky and progress.again < MAX_REPEATS


def _note_offsets(progress: Progress, answers: Sequence[Answer]) -> None:
    progress.start += PAGE * len(answers)
    totals = {answer.total for answer in answers if answer.total is not None}
    if progress.total is not None and totals - {progress.total}:
        progress.is_shaky = True
    if progress.total is None and answers[-1].next_start is None:
        progress.total = progress.rows  # a method that does not count


def _cut(progress: Progress, room: int) -> list[Range]:
    """The IDs left in as many ranges as there is room; the same ranges again for as many answers."""
    return cut([Range(*ends) for ends in progress.ranges or []], pieces=room, page=PAGE)


def _rest(asked: Range, page: Sequence[Any], key: str) -> Range | None:
    if len(page) < PAGE or int(page[-1][key]) >= asked.up_to:
        return None
    return Range(int(page[-1][key]), asked.up_to)
