"""The list: paging, search and filters, at a cost that does not grow."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from sync.messaging import users
from sync.models import CoreUser, Job, Route
from tests.api.users.conftest import Caller, make_job, make_users, refused

pytestmark = pytest.mark.django_db


def found(api: Caller, **query: Any) -> list[int]:
    answer = api("GET", "/users?" + "&".join(f"{name}={value}" for name, value in query.items()))
    assert answer.status_code == 200, answer.content.decode()
    return [user["id"] for user in answer.json()["results"]]


def test_pages_lead_there_and_back(api: Caller) -> None:
    ids = [user.pk for user in make_users(7)][::-1]
    seen, pages, address = [], [], "/users?page_size=3&stage=NEW"
    while address:
        page = api("GET", address).json()
        pages.append(page)
        seen += [user["id"] for user in page["results"]]
        address = page["next"]
        make_users(1)  # those who come meanwhile move nobody
    assert seen == ids
    assert pages[0]["previous"] is None
    back = api("GET", pages[2]["previous"]).json()
    assert [user["id"] for user in back["results"]] == ids[3:6]


def test_a_page_is_as_large_as_wanted(api: Caller) -> None:
    make_users(210)
    assert [len(found(api, **query)) for query in ({}, {"page_size": 1}, {"page_size": 200})] == [50, 1, 200]


@pytest.mark.parametrize(
    "query",
    ["page_size=0", "page_size=201", "page_size=x", "page_size=", "lead_state=lost", "satge=NEW", "cursor=x",
     "cursor=cD1hYmM=", "cursor=cj14", "cursor=", "format=xml", "search=%00", "stage=" + "x" * 51],
)  # fmt: skip
def test_a_wish_that_cannot_be_met(api: Caller, query: str) -> None:
    """Ignored, it would return users that nobody asked for. The second cursor says p=abc."""
    error = refused(api("GET", f"/users?{query}"), 400, "invalid_fields")
    assert list(error["fields"]) == [query.partition("=")[0]]


def test_filters(api: Caller) -> None:
    [new] = make_users(1)
    [won] = make_users(1, stage="WON")
    [failed] = make_users(1, stage="WON", lead_state="failed")
    assert found(api) == [failed.pk, won.pk, new.pk]
    assert found(api, stage="WON") == [failed.pk, won.pk]
    assert found(api, stage="") == []
    assert found(api, lead_state="failed") == [failed.pk]
    assert found(api, stage="WON", lead_state="waiting") == [won.pk]


@pytest.mark.parametrize("term", ["петров", "Петров", "ПЕТРОВ", "Иван П", "иван петров", "етро"])
def test_a_name_is_found_by_a_part_of_it(api: Caller, term: str) -> None:
    [ivan] = make_users(1, full_name="Иван Петров")
    make_users(1, full_name="Ольга Сидорова")
    assert found(api, search=term) == [ivan.pk]
    assert found(api, search=term, stage="WON") == []


@pytest.mark.parametrize("term", ["%", "_", "Иван%", "%00"[:1] + "25", "\\"])
def test_a_pattern_is_no_pattern(api: Caller, term: str) -> None:
    make_users(1, full_name="Иван Петров")
    assert found(api, search=term.replace("%", "%25")) == []


@pytest.mark.parametrize("term", ["%2B7916", "7916", "8916", "916", "8 (916) 555-0", "+7 916 555-00-01"])
def test_a_phone_is_found_by_its_beginning(api: Caller, term: str) -> None:
    [user] = make_users(1, phone="+79165550001")
    make_users(1, phone="+79265550001")
    assert found(api, search=term.replace("+", "%2B")) == [user.pk]


def test_a_user_is_found_by_its_id(api: Caller) -> None:
    CoreUser.objects.create(pk=5000001, full_name="A", phone="+375291234567")
    make_users(1)
    assert found(api, search=5000001) == [5000001]
    assert found(api, search="9" * 90) == []


def test_phones_with_a_common_beginning_are_found_too(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "MAX_LOOKED_UP", 2)
    made = [user.pk for user in make_users(4)]
    make_users(1, phone="+375291234567")
    assert found(api, search="8916", page_size=3) == made[:0:-1]


def test_digits_with_no_number_find_nobody(api: Caller) -> None:
    make_users(1)
    assert found(api, search="%2B") == found(api, search="%2B ()") == []


def test_the_newest_job_of_each_user_is_told(api: Caller, route: Route) -> None:
    one, two, none = make_users(3)
    deals = Route.objects.create(slug="deals", source=route.target, target=route.source)
    make_job(route, one.pk, state=Job.State.DONE)
    due = timezone.now()
    newest = make_job(route, one.pk, step="update", attempts=2, due_at=due, note="token=abc of the portal")
    failed = make_job(route, two.pk, state=Job.State.FAILED, due_at=due)
    Job.objects.create(
        route=deals, kind="deal", source_id=str(none.pk), lane="x", portal=route.target, step="fetch"
    )
    jobs = {user["id"]: user["lead"]["job"] for user in api("GET", "/users").json()["results"]}
    assert jobs == {
        one.pk: {
            "id": newest.pk,
            "state": "waiting",
            "step": "update",
            "attempts": 2,
            "due_at": due.isoformat().replace("+00:00", "Z"),
            "note": "token=*** of the portal",
        },
        two.pk: {
            "id": failed.pk,
            "state": "failed",
            "step": "create",
            "attempts": 0,
            "due_at": None,
            "note": "",
        },
        none.pk: None,
    }
    assert api("GET", f"/users/{one.pk}").json()["lead"]["job"] == jobs[one.pk]


def test_the_cost_of_a_page_does_not_grow(api: Caller, route: Route, django_assert_num_queries: Any) -> None:
    for user in make_users(120):
        make_job(route, user.pk)
    found(api)
    for size in (2, 100):
        with django_assert_num_queries(2):  # the users, their jobs; the key is remembered
            assert len(found(api, page_size=size)) == size


def test_an_empty_list(api: Caller) -> None:
    assert api("GET", "/users").json() == {"next": None, "previous": None, "results": []}
    assert CoreUser.objects.count() == 0
