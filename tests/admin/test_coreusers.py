"""Users of the API in the admin: found, read, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sync.models import CoreUser, Portal, Route
from tests.admin.conftest import make_job

LIST = reverse("admin:sync_coreuser_changelist")


def make_user(**fields: Any) -> CoreUser:
    """Store a user of the API."""
    return CoreUser.objects.create(
        **{"full_name": "Иван Петров", "phone": "+79161234567", "stage": "NEW", **fields}
    )


def page_of(user: CoreUser) -> str:
    """The address of the user's page."""
    return reverse("admin:sync_coreuser_change", args=[user.pk])


def listed(client: Client, **query: str) -> list[CoreUser]:
    """The users that the list shows for this query."""
    return list(client.get(LIST, query).context["cl"].result_list)


@pytest.fixture
def leads(source: Portal, target: Portal) -> Route:
    """A route of leads."""
    return Route.objects.create(slug="users", flow="leads", source=source, target=target)


def test_users_are_found_as_the_api_finds_them(boss: Client) -> None:
    ivan = make_user()
    olga = make_user(full_name="Ольга Сидорова", phone="+375291234567", lead_state="failed")
    assert listed(boss) == [olga, ivan]
    assert listed(boss, q="петров") == [ivan]
    assert listed(boss, q="8 916") == [ivan]
    assert listed(boss, q=f" {olga.pk} ") == [olga]
    assert listed(boss, lead_state__exact="failed") == [olga]


def test_phones_are_masked(boss: Client) -> None:
    user = make_user(lead_reason="Phone +7 916 123-45-67 is wrong")
    for page in (LIST, page_of(user)):
        html = boss.get(page).content.decode()
        assert "+7916•••••67" in html
        assert "1234567" not in html
        assert "123-45-67" not in html


def test_a_user_leads_to_its_lead_and_jobs(boss: Client, leads: Route) -> None:
    user = make_user(bitrix_lead_id=501, lead_state="linked")
    html = boss.get(page_of(user)).content.decode()
    assert 'href="https://vinipol.bitrix24.ru/crm/lead/details/501/"' in html
    job = make_job(leads, kind="lead", source_id=str(user.pk), step="create", state="done")
    other = Route.objects.create(slug="deals", source=leads.source, target=leads.target)
    make_job(other, source_id=str(user.pk))
    address = f"?state=all&q={user.pk}&route__id__exact={leads.pk}"
    assert address.replace("&", "&amp;") in html
    jobs = boss.get(reverse("admin:sync_job_changelist") + address).context["cl"].result_list
    assert list(jobs) == [job]


def test_without_a_route_the_lead_is_a_number(boss: Client) -> None:
    html = boss.get(page_of(make_user(bitrix_lead_id=501))).content.decode()
    assert "501" in html
    assert "crm/lead" not in html


def test_users_cannot_be_changed_by_hand(boss: Client) -> None:
    user = make_user()
    assert boss.get(reverse("admin:sync_coreuser_add")).status_code == 403
    assert boss.post(page_of(user), {"full_name": "x"}).status_code == 403
    assert boss.post(reverse("admin:sync_coreuser_delete", args=[user.pk])).status_code == 403


def test_users_are_for_those_who_may_see_them(staff: Callable[..., Client]) -> None:
    assert staff("view_job").get(LIST).status_code == 403


def test_queries_do_not_grow_with_users(boss: Client, leads: Route) -> None:
    counts = []
    for _ in range(2):
        for number in range(10):
            make_user(bitrix_lead_id=number)
        with CaptureQueriesContext(connection) as queries:
            boss.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 10
