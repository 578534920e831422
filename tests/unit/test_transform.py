"""The promises of `sync.mapping.transform`, by example and by search."""

from string import ascii_uppercase
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import NeedsStaff
from sync.mapping.transform import (
    Origin,
    Otherwise,
    Rule,
    When,
    fields_used,
    has_lone_brace,
    is_empty,
    render,
    transform,
)

WHERE = "Винилам → Винипол (vinilam-vinipol)"
SEGMENTS = {"конечник": "1321", "дизайнер": "1323"}


def made(
    *rules: Rule, record: dict[str, Any] | None = None, writing="create", **params: Any
) -> dict[str, Any]:
    """What the rules write for a record and webhook parameters."""
    return transform(rules, record or {}, params, writing=writing, where=WHERE)


def field(source: str, to: str = "OUT", **settings: Any) -> Rule:
    """A rule that copies a field."""
    return Rule(to=to, origin="field", source=source, **settings)


def param(source: str, to: str = "OUT", **settings: Any) -> Rule:
    """A rule that copies a webhook parameter."""
    return Rule(to=to, origin="param", source=source, **settings)


def text(source: str, to: str = "OUT", **settings: Any) -> Rule:
    """A rule that fills a template."""
    return Rule(to=to, origin="template", source=source, **settings)


EMPTY = [None, "", "  \t", [], {}, False, [None, ""], ()]


@pytest.mark.parametrize("value", EMPTY)
def test_an_empty_value_never_overwrites(value):
    rules = (field("A"), param("a"), text("{A}{a} words"), field("A", values=SEGMENTS))
    assert made(*rules, record={"A": value}, a=value) == {}


@pytest.mark.parametrize("value", EMPTY)
def test_a_default_stands_in_for_an_empty_value(value):
    assert made(field("CURRENCY_ID", default="RUB"), record={"CURRENCY_ID": value}) == {"OUT": "RUB"}


def test_a_default_is_sent_as_it_stands_even_with_a_value_list():
    assert made(param("segment", default="1321", values=SEGMENTS)) == {"OUT": "1321"}


@pytest.mark.parametrize("value", [0, "0", 0.0, 12, "text", " text "])
def test_a_value_travels_as_it_is(value):
    assert made(field("A"), record={"A": value}) == {"OUT": value}


def test_the_parameter_wins_over_its_fallback_field():
    rule = param("comments", fallback="COMMENTS")
    assert made(rule, record={"COMMENTS": "deal's"}, comments="robot's") == {"OUT": "robot's"}
    assert made(rule, record={"COMMENTS": "deal's"}, comments=" ") == {"OUT": "deal's"}


def test_a_fixed_value_needs_no_record():
    assert made(Rule(to="CATEGORY_ID", origin="value", source="25")) == {"CATEGORY_ID": "25"}


def test_when_chooses_the_writes():
    rules = (
        field("A", "C", when="create"),
        field("A", "U", when="update"),
        field("A", "B"),
    )
    assert made(*rules, record={"A": 1}).keys() == {"C", "B"}
    assert made(*rules, record={"A": 1}, writing="update").keys() == {"U", "B"}


def test_the_later_rule_wins_only_when_it_brings_a_value():
    rules = (field("A"), param("a"))
    assert made(*rules, record={"A": "record"}, a="param") == {"OUT": "param"}
    assert made(*rules, record={"A": "record"}, a="") == {"OUT": "record"}


@pytest.mark.parametrize("spelling", ["дизайнер", " Дизайнер ", "ДИЗАЙНЕР"])
def test_a_value_list_forgives_case_and_outer_blanks(spelling):
    assert made(param("segment", values=SEGMENTS), segment=spelling) == {"OUT": "1323"}


def test_an_exact_match_comes_before_a_forgiving_one():
    values = {"new": "1", "NEW": "2"}
    assert made(field("A", values=values), record={"A": "NEW"}) == {"OUT": "2"}


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (5, "5"),
        (5.0, "5"),
        (1.5, "1.5"),
        (True, "true"),
        (True, "Y"),
        (True, "1"),
        (False, "N"),
        (False, "0"),
    ],
)
def test_a_value_list_compares_numbers_and_truth_with_text(value, known):
    assert made(field("A", values={known: "x"}), record={"A": value}) == {"OUT": "x"}


def test_an_unknown_value_is_skipped_kept_or_an_error_for_staff():
    def unknown(otherwise: str, **settings: Any) -> dict[str, Any]:
        return made(param("segment", values=SEGMENTS, otherwise=otherwise, **settings), segment="опт")

    assert unknown("skip") == {}
    assert unknown("skip", default="1321") == {}
    assert unknown("keep") == {"OUT": "опт"}
    with pytest.raises(NeedsStaff) as raised:
        unknown("fail")
    for word in (WHERE, "OUT", "segment", "опт", "Add it"):
        assert word in raised.value.message


def test_a_list_is_mapped_element_by_element():
    rule = field("A", values=SEGMENTS, otherwise="skip")
    assert made(rule, record={"A": ["конечник", "", "опт", "дизайнер"]}) == {"OUT": ["1321", "1323"]}
    assert made(rule, record={"A": ["опт"]}) == {}
    with pytest.raises(NeedsStaff):
        made(field("A", values=SEGMENTS), record={"A": ["конечник", "опт"]})


@pytest.mark.parametrize("values", [{}, SEGMENTS])
def test_files_pass_untouched(values):
    file = {"file_id": 7, "path": "/rest/…"}
    assert made(field("A", values=values), record={"A": file}) == {"OUT": file}
    assert made(field("A", values=values), record={"A": [file, file]}) == {"OUT": [file, file]}


def test_a_template_names_fields_and_parameters():
    rule = text("{TITLE} (из Винилам), {area} м², {{скобки}} {unknown}")
    assert made(rule, record={"TITLE": "Заказ"}, area=12.0) == {"OUT": "Заказ (из Винилам), 12 м², {скобки} "}


def test_a_template_joins_lists_and_leaves_files_out():
    assert made(text("{A}-{F}"), record={"A": ["x", None, 2], "F": {"file_id": 1}}) == {"OUT": "x, 2-"}


def test_a_template_of_words_alone_is_a_fixed_text():
    assert made(text("always")) == {"OUT": "always"}


class Guarded:
    """A value with an attribute that no template may reach."""

    secret = "leaked"

    def __str__(self) -> str:
        return "shown"


@pytest.mark.parametrize(
    "template",
    [
        "{A.secret}",
        "{A.__class__}",
        "{A[0]}",
        "{A!r}",
        "{A:>9}",
        "{0}",
        "{A.__init__.__globals__}",
        "{__class__}",
    ],
)
def test_a_template_reaches_no_attributes(template):
    assert render("<" + template + ">", {"A": Guarded()}.get) == "<>"


def test_braces_in_a_value_stay_text():
    assert made(text("{A} {B}"), record={"A": "{B} {{B}}", "B": "secret"}) == {"OUT": "{B} {{B}} secret"}


@pytest.mark.parametrize(
    ("template", "is_lone"),
    [("{A}", False), ("{{x}}", False), ("{{{A}}}", False), ("{A", True), ("A}", True)],
)
def test_a_lone_brace_is_noticed(template, is_lone):
    assert has_lone_brace(template) is is_lone


def test_fields_used_names_what_to_fetch():
    rules = [
        field("A"),
        param("p", fallback="F"),
        text("{T} {{no}}"),
        Rule(to="X", origin="value", source="v"),
    ]
    assert fields_used(rules) == {"A", "F", "T"}


# --- by search ----------------------------------------------------------------------------------------
names = st.sampled_from(list(ascii_uppercase[:4]))
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(EMPTY)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=6,
)
records = st.dictionaries(names, anything)
templates = st.lists(st.sampled_from(["{A}", "{B}", "{", "}", "{{", "}}", "{A.b}", "words", " "])).map(
    "".join
)
rules = st.builds(
    Rule,
    to=names,
    origin=st.sampled_from(get_args(Origin)),
    source=names | templates | st.text(max_size=8),
    default=st.sampled_from(["", " ", "default"]),
    fallback=st.sampled_from(["", "A", "Z"]),
    when=st.sampled_from(get_args(When)),
    otherwise=st.sampled_from(get_args(Otherwise)),
    values=st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3),
)


@given(st.lists(rules, max_size=5), records, records, st.sampled_from(["create", "update"]))
def test_whatever_comes_the_promises_hold(rules, record, params, writing):
    try:
        written = transform(rules, record, params, writing=writing, where=WHERE)
    except NeedsStaff:
        assert any(rule.values and rule.otherwise == "fail" for rule in rules)
        return
    assert set(written) <= {rule.to for rule in rules if rule.when in ("always", writing)}
    assert not any(is_empty(value) for value in written.values())


@given(st.text(), st.text())
def test_a_rendered_value_is_never_read_as_a_template(before, value):
    literal = before.replace("{", "{{").replace("}", "}}")
    assert render(literal + "{A}", {"A": value}.get) == before + value
