"""Applying and exporting: by slug, whole or not at all, and only what differs is written."""

import os
from io import StringIO

import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as search
from hypothesis import strategies as st

from sync.config import Config, apply, export, load
from sync.errors import ConfigRefused
from sync.flows.deals.options import DealOptions
from sync.models import FieldMapping, Portal, Route, ValueMapping

pytestmark = pytest.mark.django_db

ROUTE = "slug: vinilam-vinipol, flow: deals, source: source, target: vinipol"


@pytest.fixture
def imported(example, environ):
    """The report of the imported example."""
    return apply(load(example, "example", environ=environ))


def import_text(text: str, environ: dict[str, str], **options):
    """Import a configuration; the report."""
    return apply(load(text, "file.yaml", environ=environ), **options)


def edited(example: str, *changes: tuple[str, str]) -> str:
    """The example with texts replaced."""
    for before, after in changes:
        assert before in example
        example = example.replace(before, after)
    return example


def everything() -> list[list[dict]]:
    """All rows of portals, routes, field mappings and value lists."""
    return [
        list(model.objects.order_by("pk").values()) for model in (Portal, Route, FieldMapping, ValueMapping)
    ]


def test_the_example_becomes_rows(imported):
    route = Route.objects.get(slug="vinilam-vinipol")
    options = DealOptions.of(route.options)
    assert imported.count("created") == 2 + 1 + 12 + 5
    assert (options.stage, options.carry.files, options.carry.comments) == ("C2:UC_MXQPC8", True, "both")
    assert options.comment_text(target_id="7", source_id="1", title="T").endswith("Создана сделка №7")
    segment = route.mappings.get(to="UF_CRM_1773568798364")
    assert (segment.origin, segment.source, segment.otherwise) == ("param", "segment", "skip")
    assert dict(segment.values.values_list("value", "becomes")) == {"конечник": "1321", "дизайнер": "1323"}
    assert list(route.mappings.filter(direction="back").values_list("to", flat=True))[3:] == [
        "STAGE_ID",
        "COMMENTS",
    ]


def test_a_second_import_changes_nothing(imported, example, environ):
    before = everything()
    report = import_text(example, environ)
    assert report.is_unchanged
    assert len(report.changes) == 20
    assert everything() == before


def test_one_edit_changes_one_row_and_the_others_keep_their_keys(imported, example, environ):
    keys = dict(FieldMapping.objects.values_list("pk", "to"))
    report = import_text(edited(example, ("default: RUB", "default: EUR")), environ)
    assert [
        (change.name.split()[-1], change.outcome)
        for change in report.changes
        if change.outcome != "unchanged"
    ] == [("CURRENCY_ID", "changed")]
    (change,) = [change for change in report.changes if change.outcome == "changed"]
    assert [(field.field, field.before, field.after) for field in change.fields] == [
        ("default", "RUB", "EUR")
    ]
    assert dict(FieldMapping.objects.values_list("pk", "to")) == keys


def test_value_lists_are_made_equal(imported, example, environ):
    kept = ValueMapping.objects.get(value="дизайнер")
    import_text(
        edited(example, ('конечник: "1321"', 'опт: "1", дизайнер: "1323"'), (', дизайнер: "1323"}', "}")),
        environ,
    )
    assert dict(ValueMapping.objects.values_list("value", "becomes")) == {"опт": "1", "дизайнер": "1323"}
    assert ValueMapping.objects.get(value="дизайнер").pk == kept.pk


def test_a_mapping_that_left_the_file_is_removed_from_that_route_only(imported, example, environ):
    other = Route.objects.create(slug="other", source=Portal.objects.all()[0], target=Portal.objects.all()[1])
    FieldMapping.objects.create(route=other, to="X", source="X")
    report = import_text(edited(example, ("      - {to: OPPORTUNITY, field: OPPORTUNITY}\n", "")), environ)
    assert report.count("removed") == 1
    assert not FieldMapping.objects.filter(to="OPPORTUNITY").exists()
    assert other.mappings.count() == 1
    assert Route.objects.count() == 2


def test_what_the_file_does_not_mention_stays(imported, environ):
    Portal.objects.filter(slug="source").update(slots=4, is_paused=True)
    before = everything()
    report = import_text(f"portals: [{{slug: source}}]\nroutes: [{{{ROUTE}, reconcile_minutes: 5}}]", environ)
    assert report.count("changed") == 1
    before[1][0]["reconcile_minutes"] = 5
    assert everything() == before


def test_one_option_leaves_the_others(imported, environ):
    import_text(f"routes: [{{{ROUTE}, carry: {{files: false}}}}]", environ)
    options = DealOptions.of(Route.objects.get().options)
    assert (options.carry.files, options.carry.products, options.stage) == (False, True, "C2:UC_MXQPC8")


def test_the_order_of_the_file_is_the_order_of_the_rules(imported, example, environ):
    rows = (
        "      - {to: OPPORTUNITY, field: OPPORTUNITY}\n",
        "      - {to: CURRENCY_ID, field: CURRENCY_ID, default: RUB}\n",
    )
    import_text(edited(example, (rows[0] + rows[1], rows[1] + rows[0])), environ)
    order = list(FieldMapping.objects.filter(direction="forward").values_list("to", flat=True))
    assert order[:3] == ["TITLE", "CURRENCY_ID", "OPPORTUNITY"]


def test_a_dry_run_reports_the_same_and_changes_nothing(example, environ):
    report = import_text(example, environ, dry_run=True)
    assert everything() == [[], [], [], []]
    assert report.changes == import_text(example, environ).changes


def test_a_failing_row_takes_the_whole_import_back(example, environ):
    config = load(example, "example", environ=environ)
    broken = config.routes[0].model_copy(update={"target": "gone"})
    with pytest.raises(ConfigRefused, match="gone"):
        apply(Config(config.name, config.portals, (broken,)))
    assert everything() == [[], [], [], []]


def test_what_the_database_refuses_is_an_error_and_rolled_back(example, environ):
    config = load(example, "example", environ=environ)
    first, second = config.portals
    nameless = second.model_copy(update={"name": None})  # stands for whatever only the database knows
    with pytest.raises(ConfigRefused, match="example: "):
        apply(Config("example", (first, nameless), ()))
    assert everything() == [[], [], [], []]


def test_secrets_are_masked_in_the_report(example, environ):
    lines = "\n".join(import_text(example, environ).lines())
    assert "••••" in lines
    for secret in ("SourceCode", "TargetCode", "inbound-secret"):
        assert secret not in lines


# --- export -------------------------------------------------------------------------------------------
def test_what_was_exported_imports_without_a_change(imported, environ):
    before = everything()
    assert import_text(export(with_secrets=True), {}).is_unchanged
    assert everything() == before


def test_an_export_holds_no_secrets(imported, environ):
    text = export()
    for secret in ("SourceCode", "TargetCode", "inbound-secret"):
        assert secret not in text
    variables = {
        "PORTAL_SOURCE_WEBHOOK_URL": environ["BITRIX_SOURCE_URL"],
        "PORTAL_VINIPOL_WEBHOOK_URL": environ["BITRIX_TARGET_URL"],
        "PORTAL_SOURCE_INBOUND_TOKEN": environ["B24_AUTH_TOKEN"],
        "PORTAL_VINIPOL_INBOUND_TOKEN": environ["B24_AUTH_TOKEN"],
    }
    assert import_text(text, variables).is_unchanged


def test_an_export_reads_like_the_example(imported, example):
    written, shipped = (yaml.safe_load(text)["routes"][0] for text in (export(), example))
    assert {key: written[key] for key in shipped} == shipped


def test_rows_that_staff_made_survive_export_and_import(imported, environ):
    route = Route.objects.get()
    Route.objects.update(options={"comment": "{title}"})
    for position, when in ((40, "create"), (2, "update"), (2, "always")):
        FieldMapping.objects.create(
            route=route, position=position, to="UF", source="A", when=when, fallback="B"
        )
    before = everything()
    assert import_text(export(with_secrets=True), {}).is_unchanged
    assert everything() == before


@search(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).filter(
        str.strip
    ),
    st.sampled_from(
        ["null", "~", "yes", "0042", "1e3", "a: b", "#", "'", '"', "{x}", "[", "- a", "<<", "é\x85", "\n"]
    ),
)
def test_any_text_survives_export_and_import(imported, one, other):
    FieldMapping.objects.filter(to="TITLE").update(origin="value", source=other + one)
    FieldMapping.objects.filter(to="CURRENCY_ID").update(default=one + other)
    ValueMapping.objects.filter(value__startswith="к").update(value="к" + (one + other)[:100], becomes=other)
    assert import_text(export(with_secrets=True), {}).is_unchanged


# --- commands -----------------------------------------------------------------------------------------
def run(name: str, *arguments: str) -> str:
    """Run a command; what it prints."""
    out = StringIO()
    call_command(name, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_commands_import_and_export(example, environ, tmp_path, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    source, copy = tmp_path / "in.yaml", tmp_path / "out.yaml"
    source.write_text(example, encoding="utf-8")
    run("import_config", str(source), "--dry-run")
    assert not Portal.objects.exists()
    assert "vinilam-vinipol" in run("import_config", str(source))
    run("export_config", str(copy), "--with-secrets")
    assert os.stat(copy).st_mode & 0o077 == 0
    assert copy.read_text(encoding="utf-8") == run("export_config", "--with-secrets")
    before = everything()
    run("import_config", str(copy))
    assert everything() == before


@pytest.mark.parametrize("content", [b"portals: [{slug: a}]", b"\xff\xfe\x00", None])
def test_a_wrong_file_ends_the_command_with_an_error(content, tmp_path):
    file = tmp_path / "in.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=r"in\.yaml"):
        run("import_config", str(file))
    assert not Portal.objects.exists()
