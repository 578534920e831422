"""A flow is a folder and a line: the one that docs/adding-a-flow.md builds, from the file to the portal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sync.config import apply, load
from sync.config.export import export
from sync.doctor import examine
from sync.errors import ConfigRefused
from sync.flows import FLOWS
from sync.models import Job, Route
from sync.status import queue_status
from tests.admin.conftest import plain_http
from tests.flows.conftest import PortalPair
from tests.pages import blocks_of, built, registered

PAGE = "adding-a-flow.md"
[YAML] = blocks_of(PAGE, "yaml")

__all__ = ["plain_http"]


@pytest.fixture
def titles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The flow of the page, in its folder and in the registry."""
    with built(PAGE, tmp_path) as module:
        for name, flow in registered(PAGE, module).items():
            monkeypatch.setitem(FLOWS, name, flow)
        yield


@pytest.fixture
def toy(titles: None, pair: PortalPair) -> PortalPair:
    """Two emulated portals, and the route of the page between them, imported from its file."""
    pair.route.delete()
    apply(load(YAML, "page.yaml"))
    pair.route = Route.objects.select_related("source", "target").get()
    return pair


@pytest.fixture
def boss(toy: PortalPair) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("boss", password="boss-password"))
    return client


def test_a_deal_goes_through(toy: PortalPair) -> None:
    [deal] = toy.seed(1, TITLE="Doors")
    assert toy.call("target", "crm.deal.add", {"fields": {"TITLE": "?"}}) == deal
    assert toy.webhook(deal)
    toy.run()
    assert (toy.job().state, toy.job().kind) == ("done", "title")
    assert [row["TITLE"] for row in toy.deals()] == ["→ Doors"]


def test_the_file_is_checked_by_the_flow_and_written_from_it(toy: PortalPair) -> None:
    assert toy.route.options == {"prefix": "→ ", "case": "keep"}
    text = export(with_secrets=True)
    assert "prefix: '→ '" in text
    assert apply(load(text, "again.yaml")).is_unchanged
    for wrong, path in (
        ("prefix: 'much longer than twenty'", "routes[0].prefix"),
        ("case: lower", "routes[0].case"),
        ("casing: upper", "routes[0].casing"),
        ("mappings: [{to: A, field: A}]", "routes[0].mappings"),
        ("reconcile_minutes: 15", "routes[0].reconcile_minutes"),
    ):
        with pytest.raises(ConfigRefused) as refused:
            load(YAML.replace('prefix: "→ "', wrong), "wrong.yaml")
        assert [f": {path}: " in problem for problem in refused.value.problems] == [True], wrong
        assert "did you mean “case”" in refused.value.problems[0] or "casing" not in wrong
    toy.route.refresh_from_db()
    assert toy.route.options["prefix"] == "→ ", "a refused file changes nothing"


def test_staff_edit_its_options(toy: PortalPair, boss: Client) -> None:
    address = reverse("admin:sync_route_change", args=[toy.route.pk])
    page = boss.get(address).content.decode()
    assert "Before each title" in page
    assert '<option value="titles" selected>Titles</option>' in page
    for of_another in ("carry_contacts", "reconcile_minutes", "mappings-TOTAL_FORMS"):
        assert f'name="{of_another}"' not in page
    ends = {"source": toy.route.source_id, "target": toy.route.target_id}
    form = {"slug": "titles", "flow": "titles", "prefix": "much longer than twenty", "case": "upper", **ends}
    assert "at most 20 characters" in boss.post(address, form).content.decode()
    assert boss.post(address, {**form, "prefix": "* "}).status_code == 302
    toy.route.refresh_from_db()
    assert toy.route.options == {"prefix": "*", "case": "upper"}


def test_staff_make_a_route_of_it(toy: PortalPair, boss: Client) -> None:
    add = reverse("admin:sync_route_add")
    assert "Before each title" in boss.get(f"{add}?flow=titles").content.decode()
    assert "Before each title" not in boss.get(add).content.decode()
    form = {"slug": "new", "flow": "titles", "source": toy.route.source_id, "target": "", "prefix": "* "}
    assert "choose its target" in boss.post(add, {**form, "case": "keep"}).content.decode()
    assert boss.post(add, {**form, "case": "keep", "target": toy.route.target_id}).status_code == 302
    made = Route.objects.get(slug="new")
    assert (made.options, made.reconcile_minutes) == ({"prefix": "*", "case": "keep"}, 0)


def test_an_option_without_a_field_stays(
    toy: PortalPair, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FLOWS, "titles", replace(FLOWS["titles"], form=()))
    ends = {"source": toy.route.source_id, "target": toy.route.target_id}
    form = {"slug": "renamed", "flow": "titles", **ends}
    assert boss.post(reverse("admin:sync_route_change", args=[toy.route.pk]), form).status_code == 302
    toy.route.refresh_from_db()
    assert (toy.route.slug, toy.route.options["prefix"]) == ("renamed", "→ ")


def test_a_route_that_changes_its_flow_begins_with_the_usual_options(toy: PortalPair, boss: Client) -> None:
    ends = {"source": toy.route.source, "target": toy.route.target}
    route = Route.objects.create(slug="deals", flow="deals", options={"stage": "C2:X"}, **ends)
    form = {"slug": "deals", "flow": "titles", "source": route.source_id, "target": route.target_id}
    form |= {"carry_comments": "none", "reconcile": "linked", "reconcile_minutes": 15}
    form |= {
        f"{prefix}-{name}_FORMS": 0 for prefix in ("mappings", "mappings-2") for name in ("TOTAL", "INITIAL")
    }
    assert boss.post(reverse("admin:sync_route_change", args=[route.pk]), form).status_code == 302
    route.refresh_from_db()
    assert (route.flow, route.options) == ("titles", {"prefix": "", "case": "keep"})


def test_lists_and_the_queue_speak_of_it(toy: PortalPair, boss: Client) -> None:
    assert toy.webhook("1")
    toy.run()
    Job.objects.update(state=Job.State.FAILED, step="write_title", failure="refused")
    page = boss.get(reverse("admin:sync_job_changelist")).content.decode()
    assert "writing the title" in page
    assert "?step=write_title" in page, "the filter of steps has it"
    assert "/crm/deal/details/1/" in page, "its records have cards"
    assert (
        "title of a deal" in boss.get(reverse("admin:sync_job_change", args=[toy.job().pk])).content.decode()
    )
    assert [route.slug for route in queue_status().routes] == ["titles"]


def test_the_doctor_examines_it(toy: PortalPair) -> None:
    [finding] = [one for one in examine() if one.where == "route titles"]
    assert (finding.level, finding.what) == ("ok", "Titles can be written.")
