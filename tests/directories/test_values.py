"""Pure parts: shapes of list properties, column kinds, pages left."""

from __future__ import annotations

import pytest

from sync.connectors.bitrix24.directories import SOURCES, plain, read_labels
from sync.connectors.types import Answer
from sync.flows.directories import paging
from sync.flows.directories.kinds import shaped
from sync.flows.directories.paging import Progress

ELEMENTS = SOURCES["lists.element.get"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1469", "1469"),
        (["1469"], "1469"),
        ({"99973": "1469"}, "1469"),
        ({"99973": "", "99975": "1471"}, "1471"),
        (1469, "1469"),
        (" two words ", "two words"),
        ({"1": ["x"]}, "x"),
        (True, "Y"),
        *[(empty, "") for empty in ("", [], {}, None, False, [""], {"1": None})],
    ],
)
def test_a_list_property_in_any_shape(value, text):
    assert plain(value) == text


def test_texts_of_choices_from_all_fields_or_one():
    one = {"FIELD_ID": "PROPERTY_645", "DISPLAY_VALUES_FORM": {"1501": "Open"}}
    assert read_labels({"L": one}) == {"PROPERTY_645": {"1501": "Open"}}
    assert read_labels({"NAME": {"FIELD_ID": "NAME"}, "PROPERTY_645": one}) == {
        "PROPERTY_645": {"1501": "Open"}
    }
    assert read_labels([]) == {}


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("text", None, ""),
        ("text", " a ", "a"),
        ("whole", "12", 12),
        ("whole", "12.0", 12),
        ("whole", "", None),
        ("whole", "Y", 1),
        ("flag", "Y", 1),
        ("flag", "N", 0),
        ("number", "5.00", 5),
        ("day", "2026-02-01", "2026-02-01"),
        ("day", "2026-02-01T03:00:00+03:00", "2026-02-01"),
        ("moment", "2026-02-01T03:00:00+03:00", "2026-02-01 00:00:00"),
    ],
)
def test_a_value_as_its_column_holds_it(kind, given, stored):
    assert shaped(kind, given) == stored
    assert shaped(kind, shaped(kind, given)) == stored, "what the database gives back is equal"


@pytest.mark.parametrize(
    ("kind", "given"),
    [("whole", "1.5"), ("whole", "many"), ("number", "x"), ("day", "soon"), ("moment", "1")],
)
def test_a_value_that_does_not_fit(kind, given):
    with pytest.raises(ValueError, match=r"."):
        shaped(kind, given)


def page_answer(count: int, total: int | None, start: int = 0) -> Answer:
    """The answer to one page of a list: `count` records from `start` on."""
    more = total is not None and start + 50 < total
    rows = [{"ID": str(start + n)} for n in range(count)]
    return Answer(rows, total=total, next_start=start + 50 if more else None)


def test_pages_by_offset_add_up():
    progress = Progress()
    paging.after_first(progress, ELEMENTS, page_answer(50, 137), {})
    assert (progress.pages_left(), paging.is_through(progress)) == (2, False)
    commands = paging.next_commands(progress, ELEMENTS, {"IBLOCK_ID": 1}, 50)
    assert [command.params["start"] for command in commands] == [50, 100]
    paging.after_next(progress, ELEMENTS, [page_answer(50, 137, 50), page_answer(37, 137, 100)], {})
    assert paging.is_through(progress)
    assert not paging.must_begin_anew(progress)


@pytest.mark.parametrize("pages", [[(50, 137), (36, 136)], [(50, 137), (36, 137)]])
def test_a_list_that_changed_is_begun_anew_but_not_for_ever(pages):
    progress = Progress()
    paging.after_first(progress, ELEMENTS, page_answer(50, 137), {})
    answers = [page_answer(count, total, 50 * number) for number, (count, total) in enumerate(pages, start=1)]
    paging.after_next(progress, ELEMENTS, answers, {})
    assert paging.must_begin_anew(progress)
    progress.again = paging.MAX_REPEATS
    assert not paging.must_begin_anew(progress)
    assert progress.is_shaky


def test_a_method_that_does_not_count_is_read_until_a_page_is_the_last():
    progress = Progress()
    first = Answer([{"ID": "1"}] * 50, next_start=50)
    paging.after_first(progress, ELEMENTS, first, {})
    assert not paging.is_through(progress)
    assert len(paging.next_commands(progress, ELEMENTS, {}, 50)) == 1
    paging.after_next(progress, ELEMENTS, [Answer([{"ID": "2"}])], {})
    assert paging.is_through(progress)
    assert not paging.must_begin_anew(progress)
