"""Leads on the screens: the users API as a portal, its route, its jobs and mappings."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sync.models import FieldMapping, Job, Link, Message, Portal, Route
from tests.admin.conftest import make_job

PHONE = "+79161234567"


@pytest.fixture
def core(db: None) -> Portal:
    """The users API."""
    return Portal.objects.create(slug="core", name="Пользователи", kind="core")


@pytest.fixture
def users(core: Portal, target: Portal) -> Route:
    """A route of leads from the users API to `target`."""
    return Route.objects.create(slug="users-leads", flow="leads", source=core, target=target)


def lead_job(route: Route, **fields: Any) -> Job:
    """Make a job about a user, done unless `fields` say otherwise."""
    params = {"action": "create_card", "user": {"id": 7, "phone": PHONE}, "reply_queue": "replies"}
    usual = {"kind": "lead", "step": "add_lead", "source_id": "7", "target_id": "900", "params": params}
    return make_job(route, **usual | {"state": Job.State.DONE, "portal": route.target} | fields)


def page(client: Client, name: str, *args: Any) -> str:
    """The HTML of an admin page of ours."""
    answer = client.get(reverse(f"admin:sync_{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def portal_form(**fields: Any) -> dict[str, Any]:
    """The posted form of a new portal."""
    numbers = {"requests_per_minute": 20, "burst": 1, "slots": 2, "bucket_size": 50, "bucket_leak": 2}
    return {"name": "New", "slug": "new", "kind": "bitrix24", "request_seconds": 60} | numbers | fields


def test_the_users_api_has_neither_address_nor_pace(core: Portal, boss: Client) -> None:
    html = page(boss, "portal_change", core.pk)
    for field in ("webhook_url", "inbound_token", "requests_per_minute", "is_paused"):
        assert f'name="{field}"' not in html
    assert "/inbound/from-core" not in html
    assert "run/check_now" not in html
    assert "run/pause" not in html
    form = {"name": "Ядро", "slug": "core"}
    assert boss.post(reverse("admin:sync_portal_change", args=[core.pk]), form).status_code == 302
    core.refresh_from_db()
    assert (core.name, core.kind) == ("Ядро", "core")


def test_it_is_added_without_an_address_and_only_once(boss: Client) -> None:
    add = reverse("admin:sync_portal_add")
    given = portal_form(slug="core", kind="core", webhook_url="https://x.bitrix24.ru/rest/1/c/")
    assert boss.post(add, given).status_code == 302
    assert Portal.objects.get().webhook_url == ""
    html = boss.post(add, portal_form(slug="second", kind="core")).content.decode()
    assert "«core»" in html
    assert Portal.objects.count() == 1


def test_any_other_portal_needs_its_address(boss: Client) -> None:
    html = boss.post(reverse("admin:sync_portal_add"), portal_form()).content.decode()
    assert "Без адреса" in html
    assert not Portal.objects.exists()


def test_the_users_api_is_never_checked(core: Portal, target: Portal, boss: Client) -> None:
    chosen = {"action": "check_now", "_selected_action": [core.pk]}
    assert boss.post(reverse("admin:sync_portal_changelist"), chosen).status_code == 302
    run = reverse("admin:sync_portal_run", args=[core.pk, "check_now"])
    assert boss.post(run).status_code == 302


def test_a_route_of_leads_shows_only_its_options(users: Route, boss: Client) -> None:
    html = page(boss, "route_change", users.pk)
    assert "full_name" in html, "what a lead gets without any mapping"
    assert "пользователь → лид" in html
    for field in ("reconcile_minutes", "stage", "carry_contacts", "look_first"):
        assert f'name="{field}"' not in html
    assert "mappings-2-TOTAL_FORMS" not in html


def test_its_mapping_is_edited_like_any_other(users: Route, boss: Client) -> None:
    row = {"to": "STATUS_ID", "origin": "param", "source": "stage", "value_list": "lead = NEW"}
    row |= {"route": users.pk, "when": "always", "otherwise": "fail"}
    form = {"slug": users.slug, "flow": "leads", "source": users.source_id, "target": users.target_id}
    form |= {"mappings-TOTAL_FORMS": 1, "mappings-INITIAL_FORMS": 0}
    form |= {f"mappings-0-{name}": value for name, value in row.items()}
    assert boss.post(reverse("admin:sync_route_change", args=[users.pk]), form).status_code == 302
    mapping = FieldMapping.objects.get()
    assert (mapping.to, mapping.direction) == ("STATUS_ID", "forward")
    assert dict(mapping.values.values_list("value", "becomes")) == {"lead": "NEW"}


def test_a_route_of_directories_can_be_stored(target: Portal, boss: Client) -> None:
    route = Route.objects.create(slug="directories", flow="directories", source=target)
    form = {"slug": "renamed", "flow": "directories", "source": target.pk, "reconcile_minutes": 0}
    assert boss.post(reverse("admin:sync_route_change", args=[route.pk]), form).status_code == 302
    assert Route.objects.get().slug == "renamed"
    html = boss.post(reverse("admin:sync_route_change", args=[route.pk]), {**form, "target": target.pk})
    assert "получателя у него нет" in html.content.decode()


@pytest.mark.parametrize(
    ("flow", "begin", "end", "error"),
    [
        ("leads", "source", "vinipol", "вид core"),
        ("deals", "core", "vinipol", "источник только лидов"),
        ("deals", "source", "core", "никогда не вызывается"),
        ("leads", "core", "vinipol", "«users-leads»"),
    ],
)
def test_ends_that_cannot_be(
    users: Route, source: Portal, boss: Client, flow: str, begin: str, end: str, error: str
) -> None:
    ids = dict(Portal.objects.values_list("slug", "pk"))
    form = {"slug": "new", "flow": flow, "source": ids[begin], "target": ids[end], "reconcile_minutes": 15}
    form |= {"carry_comments": "none", "reconcile": "linked"}
    for prefix in ("mappings", "mappings-2"):
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    html = boss.post(reverse("admin:sync_route_add"), form).content.decode()
    assert error in html
    assert Route.objects.count() == 1


def test_a_new_route_of_leads_is_not_reconciled(core: Portal, target: Portal, boss: Client) -> None:
    form = {"slug": "new", "flow": "leads", "source": core.pk, "target": target.pk, "reconcile_minutes": 15}
    form |= {"carry_comments": "none", "reconcile": "linked"}
    for prefix in ("mappings", "mappings-2"):
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    assert boss.post(reverse("admin:sync_route_add"), form).status_code == 302
    assert Route.objects.get().reconcile_minutes == 0


def test_the_page_of_a_job_shows_request_and_answer(users: Route, boss: Client) -> None:
    job = lead_job(users)
    Link.objects.create(route=users, entity="lead", source_id="7", target_id="900", state="linked")
    html = page(boss, "job_change", job.pk)
    for word in ("action = create_card", "Ответ ядру", "лид 900", "Связь с лидом", "лид пользователя"):
        assert word in html
    assert "/crm/lead/details/900/" in html
    assert PHONE not in html


@pytest.mark.parametrize(
    ("state", "answer"),
    [("failed", "Ошибка с причиной"), ("cancelled", "Ошибка с причиной"), ("waiting", "ещё нет")],
)
def test_the_answer_follows_the_state(users: Route, boss: Client, state: str, answer: str) -> None:
    assert answer in page(boss, "job_change", lead_job(users, state=state, target_id="").pk)


def test_jobs_of_deals_have_no_answer(route: Route, boss: Client) -> None:
    html = page(boss, "job_change", make_job(route).pk)
    assert "Ответ ядру" not in html


def test_mappings_of_leads_stand_beside_those_of_deals(users: Route, route: Route, boss: Client) -> None:
    lead = Link.objects.create(route=users, entity="lead", source_id="7", target_id="900", state="linked")
    Link.objects.create(route=route, source_id="1", target_id="2", state="linked")
    Link.objects.create(route=route, entity="contact", source_id="3", target_id="4", state="linked")
    html = page(boss, "link_changelist")
    assert "/crm/lead/details/900/" in html
    assert "1 ↔ 2" in html
    assert "3 ↔ 4" not in html
    card = "https://vinipol.bitrix24.ru/crm/lead/details/901/"
    answer = boss.post(reverse("admin:sync_link_change", args=[lead.pk]), {"target_id": card})
    assert answer.status_code == 302
    lead.refresh_from_db()
    assert lead.target_id == "901"


def test_users_of_another_core_are_found_by_their_ids(users: Route, boss: Client) -> None:
    name = "5f0c2b9e-8f51-4f7a-9b0a-3f0d8b6f7c11"
    job = lead_job(users, source_id=name, state=Job.State.FAILED)
    lead_job(users, source_id="other", state=Job.State.FAILED)
    found = boss.get(reverse("admin:sync_job_changelist"), {"q": name}).content.decode()
    assert reverse("admin:sync_job_change", args=[job.pk]) in found
    assert found.count("/admin/sync/job/") - found.count("/admin/sync/job/?") <= 2


def test_cancelling_on_the_screen_sends_the_reply(users: Route, boss: Client) -> None:
    job = lead_job(users, state=Job.State.WAITING)
    boss.post(reverse("admin:sync_job_run", args=[job.pk, "cancel"]))
    assert Message.objects.get().data["user_id"] == 7
