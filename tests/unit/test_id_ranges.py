"""Ranges of IDs: however they are cut, each ID is read once."""

from __future__ import annotations

import pytest

from sync.gateway.id_ranges import Range, cut


@pytest.mark.parametrize(
    ("ranges", "pieces", "page", "expected"),
    [
        ([Range(0, 100)], 1, 50, [Range(0, 100)]),
        ([Range(0, 100)], 2, 50, [Range(0, 50), Range(50, 100)]),
        ([Range(0, 100)], 4, 50, [Range(0, 50), Range(50, 100)]),  # nothing is cut that fits on one page
        ([Range(0, 50)], 10, 50, [Range(0, 50)]),
        ([Range(0, 51)], 10, 50, [Range(0, 25), Range(25, 51)]),
        ([Range(0, 400), Range(400, 500)], 3, 50, [Range(400, 500), Range(0, 200), Range(200, 400)]),
    ],
)
def test_the_widest_range_is_halved_until_there_are_enough(ranges, pieces, page, expected) -> None:
    assert cut(ranges, pieces=pieces, page=page) == expected


@pytest.mark.parametrize("last", [1, 49, 50, 51, 99, 2500, 2501, 1_000_003])
@pytest.mark.parametrize("pieces", [1, 2, 7, 50])
def test_no_id_is_lost_or_read_twice(last: int, pieces: int) -> None:
    ranges = sorted(cut([Range(0, last)], pieces=pieces, page=50), key=lambda one: one.after)
    assert len(ranges) <= pieces
    assert [one.after for one in ranges] == [0, *(one.up_to for one in ranges[:-1])]
    assert ranges[-1].up_to == last
    assert all(one.width > 0 for one in ranges)


def test_what_is_asked_for_is_left_as_it_is() -> None:
    ranges = [Range(0, 1000)]
    cut(ranges, pieces=9, page=50)
    assert ranges == [Range(0, 1000)]
