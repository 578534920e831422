"""A rule stands once: the file and the forms of the admin refuse the same, by the model or by the flow."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from sync.admin.mappingform import MappingForm
from sync.connectors.bitrix24.directories import SOURCES
from sync.mapping.checks import checked_text, checked_values
from sync.models import Directory, FieldMapping, Portal, Route
from sync.models.tree import in_circle, parents_first
from tests.config.test_load import PORTALS, ROUTE, problems

WRONG = [
    ("requests_per_minute", 0), ("requests_per_minute", 100_001), ("burst", 0), ("burst", 100_001),
    ("bucket_size", 0), ("bucket_size", 100_001), ("bucket_leak", 0.0), ("slots", 0), ("slots", 11),
    ("request_seconds", 0.1), ("slug", "a b"), ("slug", "a" * 41), ("name", "n" * 101),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("column", "value"), WRONG)
def test_a_portal_is_bounded_by_its_columns(column: str, value: Any, environ: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Portal(**{"slug": "a", "name": "A"} | {column: value}).full_clean()
    assert list(refused.value.message_dict) == [column]
    block = {"slug": "a", "webhook_url": "https://a.bitrix24.ru/rest/1/x/"} | {column: value}
    found = problems(f"portals: [{block}]", environ)
    assert [f": portals[0].{column}: " in problem for problem in found] == [True]


@pytest.mark.django_db
def test_a_route_looks_for_missed_changes_at_most_so_seldom(environ: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Route(slug="a", reconcile_minutes=100_001).full_clean()
    assert "reconcile_minutes" in refused.value.message_dict
    assert "at most 100000" in problems(ROUTE + "    reconcile_minutes: 100001\n", environ)[0]


@pytest.mark.django_db
def test_a_kind_of_portal_that_nobody_knows_is_refused(environ: dict[str, str]) -> None:
    found = problems(PORTALS.replace("slug: a,", "slug: a, kind: telex,"), environ)
    assert [problem.partition("kind: ")[2] for problem in found] == ["must be one of: bitrix24, core"]


def test_every_way_to_read_a_directory_has_a_source() -> None:
    assert set(Directory.Method.values) == set(SOURCES)


@pytest.mark.django_db
def test_a_lone_brace_is_told_alike_in_the_file_and_at_its_field(environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a brace stands alone") as refused:
        checked_text("{TITLE")
    [found] = problems(ROUTE + "    mappings: [{to: T, template: '{TITLE'}]\n", environ)
    assert found.endswith(str(refused.value))
    row = {"to": "T", "origin": "template", "source": "{TITLE", "when": "always", "otherwise": "fail"}
    [shown] = MappingForm({**row, "value_list": ""}).errors["source"]
    assert shown[1:] == str(refused.value)[1:]


def test_two_spellings_of_one_value_contradict() -> None:
    assert checked_values({"A": "1", "b": "1"}) == {"A": "1", "b": "1"}
    with pytest.raises(ValueError, match="“A” and “a ” are one value"):
        checked_values({"A": "1", "a ": "2"})


def test_rows_are_the_same_without_case_and_blanks() -> None:
    assert FieldMapping.key_of(" Title", "create") == FieldMapping.key_of("TITLE", "create")
    assert FieldMapping.key_of("TITLE", "update") != FieldMapping.key_of("TITLE", "create")


def test_a_circle_is_found_wherever_it_lies() -> None:
    parents = {"a": "b", "b": "c", "c": "b", "d": "e"}
    assert [start for start in "abcde" if in_circle(start, parents.get)] == ["a", "b", "c"]


def test_parents_come_first_and_a_circle_stays() -> None:
    rows = [("child", "parent"), ("x", "y"), ("y", "x"), ("parent", ""), ("other", "")]
    ordered = parents_first(rows, key=lambda row: row[0], parent=lambda row: row[1])
    assert [name for name, _parent in ordered] == ["parent", "other", "child", "x", "y"]
