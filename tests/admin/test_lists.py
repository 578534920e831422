"""Lists: found by exact ID, filtered, with a number of queries that does not grow with the rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from sync.admin.moments import rows_since
from sync.admin.paginator import CappedPaginator
from sync.models import Event, Job, Link, Portal, Route
from tests.admin.conftest import make_history, make_job

SCREENS = ("job", "event", "link", "route", "portal", "heartbeat", "methodbudget")


def listed(client: Client, screen: str = "job", **query: str) -> list[Any]:
    """The rows that a list shows for this query."""
    answer = client.get(reverse(f"admin:sync_{screen}_changelist"), query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


@pytest.mark.parametrize("screen", [*SCREENS, "index"])
def test_queries_do_not_grow_with_rows(route: Route, boss: Client, screen: str) -> None:
    address = reverse("admin:index") if screen == "index" else reverse(f"admin:sync_{screen}_changelist")
    counts = []
    for _ in range(2):
        make_history(route, 12)
        for number in range(2):
            slug = f"p{Portal.objects.count()}-{number}"
            other = Portal.objects.create(slug=slug, webhook_url="https://x.bitrix24.ru/rest/1/x/")
            make_history(Route.objects.create(slug=slug, source=other, target=route.target), 1)
        boss.get(address)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            boss.get(address)
        counts.append(len(queries))
    assert counts[0] == counts[1] < (26 if screen == "index" else 20)  # the first page counts the queue


@pytest.mark.parametrize(
    "term",
    [
        "77",
        "№77",
        "DEAL_77",
        "https://vinilam.bitrix24.ru/crm/deal/details/77/",
        "vinilam.bitrix24.ru/crm/deal/details/77/?x=1",
    ],
)
def test_deal_is_found_by_its_source_id(route: Route, boss: Client, term: str) -> None:
    job = make_job(route, source_id="77")
    make_job(route, source_id="177")
    make_job(route, source_id="770")
    assert listed(boss, q=term) == [job]


def test_deal_is_found_by_its_target_id(route: Route, boss: Client) -> None:
    job = make_job(route, source_id="1", target_id="88")
    make_job(route, source_id="88")
    assert listed(boss, q="https://vinipol.bitrix24.ru/crm/deal/details/88/") == [job]
    assert len(listed(boss, q="88")) == 2


def test_feedback_on_an_unmapped_deal_is_found(route: Route, boss: Client) -> None:
    job = make_job(route, source_id="", target_id="99", kind="feedback")
    assert listed(boss, q="99") == [job]
    assert listed(boss, q="https://vinipol.bitrix24.ru/crm/deal/details/99/") == [job]


@pytest.mark.parametrize(
    "term", ["Винилам", "https://elsewhere.bitrix24.ru/crm/deal/details/77/", "http://[", "%"]
)
def test_what_is_no_deal_finds_nothing(route: Route, boss: Client, term: str) -> None:
    make_job(route, source_id="77")
    assert listed(boss, q=term) == []


def test_search_uses_the_indexes(route: Route, boss: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        listed(boss, q="77")
    assert not [query["sql"] for query in queries if "LIKE" in query["sql"].upper()]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "failed"}, {"config", "refused"}),
        ({"failure": "refused"}, {"refused"}),
        ({"step": "create"}, {"refused", "waiting"}),
        ({"created": "hour"}, {"config", "refused", "waiting", "running"}),
        ({"finished": "hour"}, {"config", "refused"}),
        ({"state": "running"}, {"running"}),
        ({"state": "waiting", "step": "create", "created": "week"}, {"waiting"}),
        ({"state": "nonsense"}, {"config", "refused", "waiting", "running", "done"}),
    ],
)
def test_filters(route: Route, boss: Client, query: dict[str, str], found: set[str]) -> None:
    long_ago = timezone.now() - timedelta(days=40)
    make_job(route, state="done", note="done", step="create", created_at=long_ago, finished_at=long_ago)
    make_job(route, note="config")
    make_job(route, failure="refused", note="refused", step="create")
    make_job(route, state="waiting", note="waiting", step="create", finished_at=None)
    lease = timezone.now() + timedelta(minutes=1)
    make_job(route, state="running", note="running", lease_until=lease, finished_at=None)
    assert {job.note for job in listed(boss, **query)} == found


def test_jobs_without_work_hide_until_asked_for(route: Route, boss: Client) -> None:
    echo = make_job(route, state="skipped", source_id="77")
    done = make_job(route, state="done")
    assert listed(boss) == listed(boss, state="work") == listed(boss, state="nonsense") == [done]
    assert listed(boss, state="all") == [done, echo]
    assert listed(boss, state="skipped") == [echo]
    assert listed(boss, q="77") == [echo]
    assert listed(boss, q="77", state="work") == []


@pytest.mark.parametrize(
    ("query", "chosen"),
    [({}, "Все, кроме «делать нечего»"), ({"state": "all"}, "Все"), ({"q": "77"}, "Все")],
)
def test_the_list_says_which_jobs_it_shows(boss: Client, query: dict[str, str], chosen: str) -> None:
    answer = boss.get(reverse("admin:sync_job_changelist"), query)
    changelist = answer.context["cl"]
    links = list(changelist.filter_specs[0].choices(changelist))
    assert [link["display"] for link in links if link["selected"]] == [chosen]
    assert {"work", "all", *Job.State.values} == {
        parse_qs(link["query_string"].lstrip("?"))["state"][0] for link in links
    }


@pytest.mark.parametrize("days", range(6))
def test_rows_since_a_moment_are_found_by_their_ids(route: Route, days: int) -> None:
    now = timezone.now()
    ages = [5, 4, 4, 3, 1, 1]
    jobs = [make_job(route, created_at=now - timedelta(days=age)) for age in ages]
    jobs[2].delete()
    since = now - timedelta(days=days, minutes=1)
    found = rows_since(Job.objects.all(), "created_at", since)
    assert found.count() == len([age for number, age in enumerate(ages) if age <= days and number != 2])


def test_counting_stops_early(route: Route, monkeypatch: pytest.MonkeyPatch, boss: Client) -> None:
    monkeypatch.setattr("sync.admin.paginator.MAX_COUNTED", 3)
    for _ in range(5):
        make_job(route)
    paginator = CappedPaginator(Job.objects.order_by("-id"), 2)
    assert (paginator.count, paginator.is_capped) == (4, True)
    html = boss.get(reverse("admin:sync_job_changelist")).content.decode()
    assert "больше 3" in html


def test_rows_link_to_the_cards(route: Route, boss: Client) -> None:
    make_job(route, source_id="77", target_id="88")
    html = boss.get(reverse("admin:sync_job_changelist")).content.decode()
    assert 'href="https://vinilam.bitrix24.ru/crm/deal/details/77/"' in html
    assert 'href="https://vinipol.bitrix24.ru/crm/deal/details/88/"' in html


def test_events_and_links_are_found_by_id(route: Route, boss: Client) -> None:
    make_history(route, 3)
    deal = Link.objects.order_by("id")[1]
    assert listed(boss, "link", q=str(deal.target_id)) == [deal]
    assert listed(boss, "event", q=deal.source_id) == [Event.objects.get(record_id=deal.source_id)]
    assert len(listed(boss, "event", outcome="queued", received="hour")) == 3


def test_first_page_shows_problems(route: Route, boss: Client) -> None:
    make_job(route)
    html = boss.get(reverse("admin:index")).content.decode()
    assert "?failure=config" in html
    assert "Ни один обработчик не работает" in html


@pytest.mark.parametrize(("language", "words"), [("ru", "Задания"), ("en-GB,en;q=0.9", "Jobs"), ("fr", None)])
def test_browser_chooses_the_language(boss: Client, language: str, words: str | None, settings: Any) -> None:
    settings.LANGUAGE_CODE = "ru"
    html = boss.get(reverse("admin:index"), headers={"accept-language": language}).content.decode()
    assert (words or "Задания") in html
