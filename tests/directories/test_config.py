"""Directories in the configuration file: the shipped example, a round trip, mistakes with file and line."""

from __future__ import annotations

import pytest

from sync.config import apply, export, load
from sync.errors import ConfigRefused
from sync.models import Directory, Route
from tests.directories.reference import EXAMPLE

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1:9/rest/1/code/"


def import_text(text: str):
    """Import a configuration; the report."""
    return apply(load(text, "file.yaml", environ={"BITRIX_WEBHOOK_URL": URL}))


@pytest.fixture
def example() -> str:
    """The text of the shipped example."""
    return EXAMPLE.read_text(encoding="utf-8")


def test_the_shipped_example_is_imported_once(example):
    assert import_text(example).count("created") == 7
    assert import_text(example).is_unchanged
    place = Directory.objects.get(slug="object")
    assert (place.parent.slug, place.parent_field, place.table) == ("city", "PROPERTY_637", "sync_object")
    assert list(place.fields.values_list("column", "is_label")) == [("name", False), ("state", True)]
    route = Route.objects.get()
    assert (route.target, route.reconcile_minutes) == (None, 0)


def test_an_export_reads_back_as_no_change(example):
    import_text(example)
    assert import_text(export(with_secrets=True)).is_unchanged
    text = export(with_secrets=True)
    Directory.objects.exclude(parent=None).delete()
    Directory.objects.all().delete()
    assert import_text(text).count("created") == 5, "children stand before their parents there"
    assert export(with_secrets=True) == text


def test_what_differs_is_reported_and_only_that(example):
    import_text(example)
    changed = example.replace("field: PROPERTY_645, label: true", "field: PROPERTY_645")
    report = import_text(changed.replace("slug: user\n", "slug: user\n    least_share: 0.8\n"))
    fields = {
        change.name: [field.field for field in change.fields] for change in report.changes if change.fields
    }
    assert fields == {"object": ["fields"], "user": ["least_share"]}
    lines = "\n".join(report.lines())
    assert "state: PROPERTY_645 (label) → name: NAME (required), state: PROPERTY_645" in lines
    assert not Directory.objects.get(slug="object").fields.get(column="state").is_label


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("method: user.get", "method: user.list", "method: must be one of: lists.element.get"),
        ("parent: city", "parent: town", "there is no directory “town”"),
        ("table: sync_city", "parent: object", "the parents form a circle"),
        ("parent_field: PROPERTY_637 ", "# ", "Say which field holds the parent's ID."),
        ("table: sync_user", "tabel: sync_user", "unknown key; did you mean “table”?"),
        ("source: reference}", "source: reference, target: reference}", "must be one of"),
        ("slug: category", "slug: city", "the same as directories[0]"),
    ],
)
def test_mistakes_are_errors_and_change_nothing(example, old, new, reason):
    assert old in example
    with pytest.raises(ConfigRefused) as refused:
        import_text(example.replace(old, new, 1))
    assert reason in refused.value.message, refused.value.message
    assert not Directory.objects.exists()


def test_a_route_of_deals_needs_a_target(example):
    with pytest.raises(ConfigRefused, match="target: this key is needed"):
        import_text(example.replace("flow: directories", "flow: deals"))
