"""What staff may set on a route of deals."""

import pytest
from pydantic import ValidationError

from sync.errors import NeedsStaff
from sync.flows.deals.options import DealOptions


def test_nothing_else_is_copied_by_default():
    options = DealOptions.of({})
    assert (options.comment, options.stage, options.carry.comments) == ("", "", "none")
    assert not any(
        (options.carry.contacts, options.carry.companies, options.carry.products, options.carry.files)
    )


@pytest.mark.parametrize(
    "options",
    [
        {"coment": "x"},
        {"carry": {"contact": True}},
        {"carry": {"comments": "all"}},
        {"comment": "{deal}"},
        {"comment": "{target_id.__class__}"},
        {"comment": "{target_id"},
    ],
)
def test_wrong_options_are_refused_with_a_reason_for_staff(options):
    with pytest.raises(ValidationError):
        DealOptions.model_validate(options)
    with pytest.raises(NeedsStaff, match=next(iter(options))):
        DealOptions.of(options)


def test_the_comment_names_the_deals():
    options = DealOptions(comment="№{target_id} ← {source_id} {{{title}}}")
    assert options.comment_text(target_id="7", source_id="1", title="T") == "№7 ← 1 {T}"


def test_a_title_cannot_fill_itself_in():
    options = DealOptions(comment="{title} {target_id}")
    title = "{target_id} {{x}} {source_id.__class__} %s"
    assert options.comment_text(target_id="7", source_id="1", title=title) == title + " 7"
