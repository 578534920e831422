"""Leads in the file: the users API as a portal, its one route, and what neither may be."""

from pathlib import Path

import pytest

from sync.config import apply, load
from sync.config.export import export
from sync.errors import ConfigRefused
from sync.models import Portal, Route
from tests.config.test_load import problems

pytestmark = pytest.mark.django_db

EXAMPLE = Path(__file__).parents[2] / "examples" / "users-leads.yaml"
PORTALS = """portals:
  - {slug: core, kind: core}
  - {slug: crm, webhook_url: "https://a.bitrix24.ru/rest/1/SecretA/"}
  - {slug: other, webhook_url: "https://b.bitrix24.ru/rest/1/SecretB/"}
"""
ROUTE = "routes:\n  - {slug: users-leads, flow: leads, source: core, target: crm%s}\n"
GOOD = PORTALS + ROUTE % ""


@pytest.fixture
def environ(settings) -> dict[str, str]:
    """The environment that fills the example's variable."""
    settings.PORTAL_HOSTS = ["*.bitrix24.ru"]
    settings.ALLOW_PRIVATE_HOSTS = False
    return {"BITRIX_WEBHOOK_URL": "https://leads.bitrix24.ru/rest/1/LeadCode/"}


def test_the_shipped_example_makes_the_route(environ):
    apply(load(EXAMPLE.read_text(encoding="utf-8"), "example", environ=environ))
    route = Route.objects.get()
    assert (route.flow, route.source.kind, route.target.slug) == ("leads", "core", "bitrix")
    assert not route.mappings.exists()


def test_the_mappings_that_the_example_suggests_are_right(environ):
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    begins = next(number for number, line in enumerate(lines) if line.strip() == "# mappings:")
    shown = [line.replace("# ", "", 1) if line.strip() != "#" else "" for line in lines[begins:]]
    apply(load("\n".join([*lines[:begins], *shown]), "example", environ=environ))
    assert Route.objects.get().mappings.count() == 3


def test_what_is_exported_changes_nothing_when_it_is_imported(environ):
    apply(load(GOOD, "file.yaml", environ=environ))
    text = export(with_secrets=True)
    assert "reconcile_minutes: 0" in text
    assert apply(load(text, "again.yaml", environ=environ)).is_unchanged
    core = text[text.index("slug: core") : text.index("slug: crm")]
    assert "requests_per_minute" not in core, "nobody calls it"


@pytest.mark.parametrize(
    ("text", "path", "error"),
    [
        (PORTALS.replace("kind: core", "kind: core, requests_per_minute: 5"), "portals[0]", "requests"),
        (PORTALS.replace("kind: core", 'kind: core, webhook_url: "x"'), "portals[0]", "webhook_url"),
        (PORTALS + "  - {slug: second, kind: core}\n", "portals[3].kind", "core"),
        (GOOD.replace("source: core", "source: other"), "routes[0].source", "kind core"),
        (GOOD.replace("flow: leads", "flow: deals"), "routes[0].source", "leads"),
        (
            GOOD.replace("source: core, target: crm", "source: crm, target: core"),
            "routes[0].source",
            "kind core",
        ),
        (
            PORTALS + "routes:\n  - {slug: a, flow: deals, source: crm, target: core}\n",
            "routes[0].target",
            "called",
        ),
        (PORTALS + "routes:\n  - {slug: a, flow: directories, source: core}\n", "routes[0].source", "leads"),
        (
            GOOD + "  - {slug: two, flow: leads, source: core, target: other}\n",
            "routes[1].flow",
            "users-leads",
        ),
        (PORTALS + ROUTE % ", feedback: {stage: X}", "routes[0].feedback.stage", ""),
        (PORTALS + ROUTE % ", feedback: {mappings: [{to: A, param: b}]}", "routes[0].feedback.mappings", ""),
        (PORTALS + ROUTE % ", reconcile_minutes: 15", "routes[0].reconcile_minutes", ""),
        (PORTALS + ROUTE % ", carry: {files: true}", "routes[0].carry", ""),
        (PORTALS + ROUTE.replace(", target: crm", "") % "", "routes[0].target", ""),
    ],
)
def test_what_is_refused(environ, text, path, error):
    found = problems(text, environ)
    assert any(f": {path}: " in problem and error in problem for problem in found), found


def test_what_is_stored_counts_as_well(environ):
    apply(load(GOOD, "file.yaml", environ=environ))
    again = {
        "portals: [{slug: second, kind: core}]": "portals[0].kind",
        "portals: [{slug: core, kind: bitrix24}]": "portals[0].kind",
        "portals: [{slug: crm, kind: core}]": "portals[0].kind",
        "routes: [{slug: two, flow: leads, source: core, target: other}]": "routes[0].flow",
        "routes: [{slug: two, flow: deals, source: core, target: other}]": "routes[0].source",
    }
    for text, path in again.items():
        assert any(path in problem for problem in problems(text, environ)), text
    assert apply(load(GOOD, "file.yaml", environ=environ)).is_unchanged
    with pytest.raises(ConfigRefused):
        load("portals: [{slug: new}]", "file.yaml", environ=environ)
    assert Portal.objects.count() == 3
