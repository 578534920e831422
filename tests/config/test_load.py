"""Reading the file: all mistakes are reported at once, with their lines and without secrets."""

import pytest

from sync.config import load
from sync.errors import ConfigRefused
from sync.models import Link, Portal, Route

pytestmark = pytest.mark.django_db

PORTALS = """portals:
  - {slug: a, webhook_url: "https://a.bitrix24.ru/rest/1/SecretA/"}
  - {slug: b, webhook_url: "https://b.bitrix24.ru/rest/1/SecretB/"}
"""
ROUTE = PORTALS + "routes:\n  - slug: a-b\n    flow: deals\n    source: a\n    target: b\n"


def problems(text: str, environ: dict[str, str]) -> list[str]:
    """The mistakes for which a text is refused."""
    with pytest.raises(ConfigRefused) as refused:
        load(text, "file.yaml", environ=environ)
    return list(refused.value.problems)


def test_the_shipped_example_has_no_mistakes(example, environ):
    config = load(example, "example", environ=environ)
    assert [portal.slug for portal in config.portals] == ["source", "vinipol"]
    assert config.portals[0].webhook_url == environ["BITRIX_SOURCE_URL"]
    assert {form.to for form in config.routes[0].mappings} >= {"TITLE", "STAGE_ID", "UF_CRM_1773568798364"}


def test_all_mistakes_come_at_once_with_their_lines(environ):
    text = ROUTE + (
        "    reconcile_minutes: soon\n"  # 9
        "    mappings:\n"
        "      - {to: TITLE, fild: TITLE}\n"  # 11
        "      - {to: A, field: A, value: b}\n"
        "      - to: B\n"
        "        param: b\n"
        "        when: never\n"  # 15
        "    feedback: {comment: 'deal {number}'}\n"
        "    carry: {contact: true}\n"
    )
    found = problems(text, environ)
    assert [problem.split(": ")[:2] for problem in found] == [
        ["file.yaml, line 9", "routes[0].reconcile_minutes"],
        ["file.yaml, line 11", "routes[0].mappings[0].fild"],
        ["file.yaml, line 12", "routes[0].mappings[1]"],
        ["file.yaml, line 15", "routes[0].mappings[2].when"],
        ["file.yaml, line 16", "routes[0].feedback.comment"],
        ["file.yaml, line 17", "routes[0].carry.contact"],
    ]


@pytest.mark.parametrize(
    ("mapping", "path"),
    [
        ("{to: T}", ""),
        ("{to: T, field: A, param: a}", ""),
        ("{field: A}", ".to"),
        ("{to: T, field: ''}", ".field"),
        ("{to: T, template: '{TITLE'}", ".template"),
        ("{to: T, param: p, otherwise: maybe}", ".otherwise"),
        ("{to: T, param: p, values: {A: '1', a: '2'}}", ".values"),
        ("{to: T, param: p, values: [A]}", ".values"),
        ("{to: T, param: p, mode: x}", ".mode"),
        ("5", ""),
    ],
)
def test_a_wrong_mapping_is_refused_at_its_path(mapping, path, environ):
    (problem,) = problems(ROUTE + f"    mappings: [{mapping}]\n", environ)
    assert problem.startswith(f"file.yaml, line 9: routes[0].mappings[0]{path}: ")


@pytest.mark.parametrize(
    "text",
    [
        "", "portals: [", "- a", "portals: {}", "a: b", "portals:\n\t- x", "portals: &a []\nroutes: *a",
        "portals: !!python/object/apply:os.system ['true']",
        "portals: []\nportals: []", "? [a]\n: b", "--- 1\n--- 2", "\x00",
        "[" * 1000,
    ],
)  # fmt: skip
def test_what_is_no_configuration_is_refused(text, environ):
    assert all(line.startswith("file.yaml") for line in problems(text, environ))


@pytest.mark.parametrize(
    "url",
    [
        "http://a.bitrix24.ru/rest/1/Secret/",
        "https://evil.org/rest/1/Secret/",
        "https://a.bitrix24.ru/rest/1/",
        "https://a.bitrix24.ru/rest/1/Secret/profile.json",
        "https://a.bitrix24.ru/rest/1/Secret/?x=1",
        "https://a.bitrix24.ru@evil.org/rest/1/Secret/",
        "https://a.bitrix24.ru:port/rest/1/Secret/",
        "Secret",
    ],
)
def test_a_wrong_webhook_address_is_refused_without_showing_it(url, environ):
    (problem,) = problems(f"portals: [{{slug: a, webhook_url: '{url}'}}]", environ)
    assert "portals[0].webhook_url" in problem
    assert "Secret" not in problem


def test_plain_http_is_for_emulated_portals(environ, settings):
    settings.ALLOW_PRIVATE_HOSTS = True
    config = load("portals: [{slug: a, webhook_url: 'http://127.0.0.1:9001/rest/1/c'}]", "f", environ=environ)
    assert config.portals[0].webhook_url == "http://127.0.0.1:9001/rest/1/c/"


def test_a_variable_that_is_not_set_is_named(environ):
    (problem,) = problems("portals: [{slug: a, webhook_url: '${NOWHERE}'}]", environ)
    assert "NOWHERE" in problem


@pytest.mark.parametrize("key", ["webhook_url", "inbound_token"])
def test_a_variable_is_never_a_part_of_a_value(key, environ):
    Portal.objects.create(slug="a", name="A", webhook_url="https://a.bitrix24.ru/rest/1/c/")
    text = f"portals: [{{slug: a, {key}: 'https://a.bitrix24.ru/rest/1/${{B24_AUTH_TOKEN}}/'}}]"
    (problem,) = problems(text, environ)
    assert key in problem
    assert "inbound-secret" not in problem


def test_scalars_stay_as_they_were_written(environ):
    rows = "{to: A, value: 0042}, {to: B, value: yes}, {to: C, param: p, values: {no: 1.50, 2024-01-01: ok}}"
    (route,) = load(ROUTE + f"    mappings: [{rows}]\n", "f", environ=environ).routes
    assert [form.value for form in route.mappings] == ["0042", "yes", None]
    assert route.mappings[2].values == {"no": "1.50", "2024-01-01": "ok"}


def test_a_key_without_a_value_is_not_there(environ):
    (route,) = load(ROUTE + "    mappings:\n    feedback:\n    name:\n", "f", environ=environ).routes
    assert route.tables() == {}
    assert route.columns() == {"flow": "deals"}


def test_mistakes_that_only_the_whole_file_shows(environ):
    text = ROUTE + (
        "    mappings: [{to: T, field: A}, {to: t, param: a}, {to: T, value: a, when: update}]\n"
        "  - {slug: a-b, flow: deals, source: a, target: a}\n"
        "  - {slug: c, flow: letters, source: a, target: nowhere}\n"
        "  - {slug: d, source: a, target: b}\n"
    )
    found = problems(text, environ)
    assert [problem.split(": ")[1] for problem in found] == [
        "routes[0].mappings[1].to", "routes[1].slug", "routes[1].target", "routes[2].target", "routes[2]",
        "routes[3]",
    ]  # fmt: skip


def test_a_new_portal_needs_its_address_and_a_stored_one_does_not(environ):
    (problem,) = problems("portals: [{slug: a}]", environ)
    assert "portals[0].webhook_url" in problem
    Portal.objects.create(slug="a", name="A", webhook_url="https://a.bitrix24.ru/rest/1/c/")
    assert load("portals: [{slug: a}]", "f", environ=environ).portals[0].columns() == {}


def test_a_route_with_linked_deals_keeps_its_portals(environ):
    a, b, _c = (
        Portal.objects.create(slug=slug, name=slug, webhook_url="https://x/rest/1/c/") for slug in "abc"
    )
    route = Route.objects.create(slug="a-b", source=a, target=b)
    text = "routes: [{slug: a-b, flow: deals, source: a, target: c}]"
    load(text, "f", environ=environ)
    Link.objects.create(route=route, source_id="1", target_id="2")
    (problem,) = problems(text, environ)
    assert "routes[0].target" in problem
