"""Editing routes and their mappings; pausing, resuming and checking portals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from sandbox.emulators.bitrix24 import Emulator, start
from sync.admin.bulk_actions import change_many
from sync.models import FieldMapping, Job, Pace, Portal, Route
from tests.admin.conftest import make_job


def form_of(
    route: Route, *rows: dict[str, Any], back: tuple[dict[str, Any], ...] = (), **changes: Any
) -> dict[str, Any]:
    """The posted form of a route with these mapping rows, forward and back."""
    form: dict[str, Any] = {
        "slug": route.slug,
        "flow": "deals",
        "source": route.source_id,
        "target": route.target_id,
    }
    form |= {"reconcile_minutes": 15, "carry_comments": "none", "reconcile": "linked"} | changes
    for prefix, lines in (("mappings", rows), ("mappings-2", back)):
        known = sum("id" in line for line in lines)
        form |= {f"{prefix}-TOTAL_FORMS": len(lines), f"{prefix}-INITIAL_FORMS": known}
        for number, line in enumerate(lines):
            whole = {"route": route.pk, "origin": "field", "when": "always", "otherwise": "fail", **line}
            form |= {f"{prefix}-{number}-{name}": value for name, value in whole.items()}
    return form


def row_of(mapping: FieldMapping, **changes: Any) -> dict[str, Any]:
    """The form row of a stored mapping."""
    names = ("id", "to", "origin", "source", "position", "otherwise", "when")
    return {name: getattr(mapping, name) for name in names} | changes


def save(client: Client, route: Route, form: dict[str, Any]) -> str:
    """Post the form of a route: "" when it was stored, else the page with its errors."""
    answer = client.post(reverse("admin:sync_route_change", args=[route.pk]), form)
    return "" if answer.status_code == 302 else answer.content.decode()


def values_of(mapping: FieldMapping) -> dict[str, str]:
    """The stored value list of a mapping."""
    return dict(mapping.values.values_list("value", "becomes"))


def test_value_list_is_edited_as_lines(route: Route, mapping: FieldMapping, boss: Client) -> None:
    page = boss.get(reverse("admin:sync_route_change", args=[route.pk])).content.decode()
    assert "конечник = 1321\nдизайнер = 1323</textarea>" in page
    lines = "конечник = 1321\r\n\r\nзастройщик=1400\r\na = b = c"
    assert not save(boss, route, form_of(route, row_of(mapping, value_list=lines)))
    assert values_of(mapping) == {"конечник": "1321", "застройщик": "1400", "a = b": "c"}


def test_untouched_value_list_keeps_its_rows(route: Route, mapping: FieldMapping, boss: Client) -> None:
    before = set(mapping.values.values_list("pk", flat=True))
    lines = "конечник = 1321\nдизайнер = 1323"
    assert not save(boss, route, form_of(route, row_of(mapping, value_list=lines, source="other")))
    assert set(mapping.values.values_list("pk", flat=True)) == before


def test_faulty_lines_are_named_one_by_one(route: Route, mapping: FieldMapping, boss: Client) -> None:
    lines = f"a = 1\nb\n = 2\nc =\nA = 3\n{'x' * 201} = 1"
    html = save(boss, route, form_of(route, row_of(mapping, value_list=lines)))
    for number in (2, 3, 4, 5, 6):
        assert f"Строка {number}:" in html
    assert "Строка 1:" not in html
    assert len(values_of(mapping)) == 2


def test_directions_stay_apart_and_rows_keep_their_order(route: Route, boss: Client) -> None:
    rows = [{"to": "B", "source": "B", "position": ""}, {"to": "A", "source": "A", "position": ""}]
    back = ({"to": "STAGE_ID", "origin": "param", "source": "target_stage", "position": ""},)
    assert not save(boss, route, form_of(route, *rows, back=back))
    stored = list(route.mappings.values_list("direction", "to"))
    assert stored == [("back", "STAGE_ID"), ("forward", "B"), ("forward", "A")]


def test_two_rows_for_one_field_are_refused(route: Route, mapping: FieldMapping, boss: Client) -> None:
    duplicate = {"to": "uf_crm_segment", "source": "X", "position": ""}
    html = save(boss, route, form_of(route, row_of(mapping), duplicate))
    assert "Другая строка записывает это же поле" in html


def test_lone_brace_in_a_text_is_refused(route: Route, boss: Client) -> None:
    row = {"to": "TITLE", "origin": "template", "source": "{TITLE", "position": ""}
    assert "Одиночная фигурная скобка" in save(boss, route, form_of(route, row))


def test_options_are_fields(route: Route, boss: Client) -> None:
    comment = "Создана сделка №{target_id}"
    form = form_of(route, comment=comment, stage="C2:NEW", carry_files="on", carry_comments="both")
    assert not save(boss, route, form)
    options = Route.objects.get().options
    assert (options["comment"], options["stage"]) == (comment, "C2:NEW")
    assert (options["carry"]["files"], options["carry"]["contacts"]) == (True, False)
    assert options["carry"]["comments"] == "both"


def test_wrong_comment_is_an_error_at_its_field(route: Route, boss: Client) -> None:
    html = save(boss, route, form_of(route, comment="{nonsense}"))
    assert 'id="id_comment_error"' in html
    assert Route.objects.get().options == {}


def test_ends_of_a_linked_route_stay(route: Route, boss: Client) -> None:
    route.links.create(source_id="1", target_id="2")
    other = Portal.objects.create(slug="other", webhook_url="https://x.bitrix24.ru/rest/1/x/")
    save(boss, route, form_of(route, target=other.pk))
    assert Route.objects.get().target_id == route.target_id


@pytest.mark.parametrize("screen", ["route", "portal"])
def test_pausing_and_resuming(route: Route, boss: Client, screen: str) -> None:
    record: Any = route if screen == "route" else route.source
    boss.post(reverse(f"admin:sync_{screen}_run", args=[record.pk, "pause"]))
    record.refresh_from_db()
    assert record.is_paused
    OrmQ.objects.all().delete()
    Pace.objects.all().delete()
    boss.post(reverse(f"admin:sync_{screen}_run", args=[record.pk, "resume"]))
    record.refresh_from_db()
    assert not record.is_paused
    assert LogEntry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_retry_wakes_the_workers(route: Route, boss: Client) -> None:
    job = make_job(route)
    boss.post(reverse("admin:sync_job_run", args=[job.pk, "retry"]))
    assert OrmQ.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_retry_of_all_that_match_reaches_every_page(route: Route, boss: Client) -> None:
    for _ in range(120):
        make_job(route)
    kept = make_job(route, failure="bug")
    form = {"action": "retry", "index": 0, "select_across": 1, "_selected_action": [1]}
    boss.post(reverse("admin:sync_job_changelist") + "?failure=config", form)
    assert Job.objects.filter(state="waiting").count() == 120
    assert Job.objects.get(pk=kept.pk).state == "failed"
    assert LogEntry.objects.get().object_repr == "многие: задания"


def test_what_does_not_fit_into_one_request_is_reported(
    route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.admin.bulk_actions.CHUNK", 2)
    for _ in range(5):
        make_job(route)
    now = timezone.now()
    result = change_many(Job.objects.all(), ["failed"], lambda jobs: jobs.requeue(now=now), seconds=-1)
    assert (result.count, result.is_all) == (2, False)
    result = change_many(Job.objects.all(), ["failed"], lambda jobs: jobs.requeue(now=now))
    assert (result.count, result.is_all) == (3, True)


def test_history_is_not_deleted_with_a_route_or_portal(route: Route, boss: Client) -> None:
    make_job(route)
    for record in (route, route.source):
        address = reverse(f"admin:sync_{record._meta.model_name}_delete", args=[record.pk])
        assert boss.post(address, {"post": "yes"}).status_code == 403
    assert Job.objects.exists()


@pytest.fixture
def emulator(settings: Any) -> Iterator[Emulator]:
    """An emulated portal."""
    settings.ALLOW_PRIVATE_HOSTS = True
    emulator = start()
    yield emulator
    emulator.stop()


def check_now(client: Client, portal: Portal) -> str:
    """Press "Check now" on a portal's page; the page that comes back."""
    address = reverse("admin:sync_portal_run", args=[portal.pk, "check_now"])
    return client.post(address, follow=True).content.decode()


def test_check_shows_who_answers_and_closes_the_breaker(
    source: Portal, boss: Client, emulator: Emulator
) -> None:
    Portal.objects.update(webhook_url=emulator.url)
    pace = Pace.of(source)
    Pace.objects.update(failures=9, away_until=pace.away_until + 10**10, trouble="away")
    assert "отвечает за" in check_now(boss, source)
    assert not Pace.objects.get().is_away


def test_check_shows_what_is_wrong(source: Portal, boss: Client, emulator: Emulator) -> None:
    Portal.objects.update(webhook_url=emulator.url)
    emulator.stop()
    html = check_now(boss, source)
    assert 'class="error"' in html
    assert emulator.url not in html


def test_check_keeps_within_the_limit(source: Portal, boss: Client, emulator: Emulator) -> None:
    Portal.objects.update(webhook_url=emulator.url)
    check_now(boss, source)
    assert "повторите через" in check_now(boss, source)
