"""The first page: where is my deal, what is open, when will it be done; and searches that find no job."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule

from sync.models import Directory, DirectoryRun, Event, Job, Link, Pace, Portal, Route
from tests.admin.conftest import make_job

JOBS = "/admin/sync/job/"


def text_of(client: Client, address: str, status: int = 200) -> str:
    """The HTML of a page, on one line."""
    answer = client.get(address)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def test_the_queue_stands_on_the_first_page(boss: Client, route: Route) -> None:
    for _ in range(3):
        make_job(route, state=Job.State.WAITING)
    make_job(route)
    make_job(route, state=Job.State.DONE)
    page = text_of(boss, "/admin/")
    address = f"{JOBS}?route__id__exact={route.pk}"
    assert f'<a href="{address}&amp;state=waiting">3</a>' in page
    assert f'<a href="{address}&amp;state=failed">1</a>' in page
    assert 'закончится:">через ' in page


def test_a_forecast_that_nobody_can_make_gives_its_reason(boss: Client, route: Route) -> None:
    make_job(route, state=Job.State.WAITING)
    pace = Pace.of(route.source)
    Pace.objects.filter(pk=pace.pk).update(
        failures=9, away_until=time.time() + 60, trouble="source: портал недоступен: нет соединения."
    )
    assert "Портал «source» не отвечает: портал недоступен: нет соединения." in text_of(boss, "/admin/")


def test_the_queue_is_only_for_who_may_see_jobs(staff: Callable[..., Client], route: Route) -> None:
    page = text_of(staff("view_portal"), "/admin/")
    assert "find-deal" not in page
    assert "Очередь" not in page


def test_an_empty_installation_says_what_to_do(boss: Client, db: None) -> None:
    assert "Добавьте сначала два портала" in text_of(boss, "/admin/")


@pytest.mark.parametrize(
    "screen",
    ["job", "event", "link", "route", "portal", "directory", "directoryrun", "apikey", "coreuser", "message",
     "heartbeat", "methodbudget"],
)  # fmt: skip
def test_an_empty_list_says_how_rows_are_made(boss: Client, screen: str) -> None:
    answer = boss.get(reverse(f"admin:sync_{screen}_changelist"))
    hint = str(answer.context["empty_hint"])
    assert len(hint) > 20
    assert hint in answer.content.decode().replace("&quot;", '"').replace("&#x27;", "'")


def test_a_search_that_finds_no_job_shows_webhooks_and_mappings(boss: Client, route: Route) -> None:
    Event.objects.create(portal=route.source, fingerprint="1", entity="deal", record_id="77")
    Link.objects.create(route=route, source_id="78", target_id="978", state="linked")
    Link.objects.create(route=route, entity="contact", source_id="79", target_id="979", state="linked")
    assert "/admin/sync/event/?q=77" in text_of(boss, f"{JOBS}?q=77")
    for number in ("78", "978"):
        assert f"/admin/sync/link/?q={number}" in text_of(boss, f"{JOBS}?q={number}")
    for number in ("79", "80"):
        page = text_of(boss, f"{JOBS}?q={number}")
        assert "ни одного вебхука о ней не принято" in page
        assert f'/?q={number}"' not in page
    assert "не ID и не адрес карточки" in text_of(boss, f"{JOBS}?q=a+b+c")


def test_related_records_are_only_for_who_may_see_them(staff: Callable[..., Client], route: Route) -> None:
    Event.objects.create(portal=route.source, fingerprint="1", entity="deal", record_id="77")
    assert "/admin/sync/event/" not in text_of(staff("view_job"), f"{JOBS}?q=77")


def test_steps_with_the_same_words_are_one_choice(boss: Client, route: Route) -> None:
    job = make_job(route, kind="comment_back", step="read_comment_back")
    make_job(route, step="fetch")
    answer = boss.get(f"{JOBS}?step=read_comment")
    assert [row.pk for row in answer.context["cl"].result_list] == [job.pk]
    choices = next(
        spec for spec in answer.context["cl"].filter_specs if getattr(spec, "parameter_name", "") == "step"
    )
    words = [label for _step, label in choices.lookup_choices]
    assert len(words) == len(set(words)) > 10
    assert "создание лида" not in words, "no route carries leads"


def test_a_due_job_waits_for_its_turn(boss: Client, route: Route) -> None:
    make_job(route, state=Job.State.WAITING, due_at=timezone.now())
    assert "по очереди" in text_of(boss, JOBS)


def test_pages_that_are_not_there_or_not_for_you(boss: Client, staff: Callable[..., Client]) -> None:
    boss.raise_request_exception = False
    assert "Страница не найдена" in text_of(boss, "/nowhere", 404)
    clerk = staff("view_job")
    assert "Нет права на это" in text_of(clerk, "/admin/sync/portal/", 403)


def test_a_directory_that_was_read_offers_no_deletion_that_would_be_refused(boss: Client, db: None) -> None:
    portal = Portal.objects.create(slug="reference", webhook_url="https://x.bitrix24.ru/rest/1/x/")
    route = Route.objects.create(slug="directories", flow="directories", source=portal)
    directory = Directory.objects.create(slug="city", name="Города", route=route, method="user.get")
    address = f"/admin/sync/directory/{directory.pk}/"
    assert f"{address}delete/" in text_of(boss, f"{address}change/")
    DirectoryRun.objects.create(directory=directory)
    assert f"{address}delete/" not in text_of(boss, f"{address}change/")


def test_schedules_and_events_are_named_in_words(boss: Client, route: Route) -> None:
    Schedule.objects.create(name="nightly", func="sync.tasks.prune", schedule_type="D")
    page = text_of(boss, "/admin/django_q/schedule/")
    assert "Удалить старую историю" in page
    assert ">sync.tasks.prune<" not in page
    event = Event.objects.create(portal=route.source, fingerprint="1", entity="deal", record_id="77")
    assert "<h2>сделка 77, Винилам</h2>" in text_of(boss, f"/admin/sync/event/{event.pk}/change/")


def test_a_fault_of_ours_is_shown_in_the_readers_language(
    boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_user: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("sync.admin.overview.problems", fail)
    boss.raise_request_exception = False
    page = text_of(boss, "/admin/", 500)
    assert '<html lang="ru">' in page
    assert "Что-то пошло не так" in page
