"""Who may do what; the server decides, whatever the page shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from sync.models import Event, Job, Link, Route
from tests.admin.conftest import make_history, make_job

JOBS = reverse("admin:sync_job_changelist")


def run_action(client: Client, action: str, *jobs: Job) -> None:
    """Run an action of the job list on these jobs."""
    client.post(JOBS, {"action": action, "index": 0, "_selected_action": [job.pk for job in jobs]})


@pytest.mark.parametrize(("action", "right"), [("retry", "retry_job"), ("cancel", "cancel_job")])
def test_action_needs_its_own_right(
    route: Route, staff: Callable[..., Client], action: str, right: str
) -> None:
    job = make_job(route)
    other = {"retry_job": "cancel_job", "cancel_job": "retry_job"}[right]
    client = staff("view_job", other)
    run_action(client, action, job)
    answer = client.post(reverse("admin:sync_job_run", args=[job.pk, action]))
    job.refresh_from_db()
    assert (job.state, answer.status_code) == ("failed", 403)


@pytest.mark.parametrize(("action", "state"), [("retry", "waiting"), ("cancel", "cancelled")])
def test_action_runs_with_its_right(
    route: Route, staff: Callable[..., Client], action: str, state: str
) -> None:
    jobs = [make_job(route), make_job(route)]
    client = staff("view_job", f"{action}_job")
    run_action(client, action, jobs[0])
    client.post(reverse("admin:sync_job_run", args=[jobs[1].pk, action]))
    assert set(Job.objects.values_list("state", flat=True)) == {state}
    assert LogEntry.objects.count() == 2


def test_button_alone_without_view_right_does_nothing(route: Route, staff: Callable[..., Client]) -> None:
    job = make_job(route)
    answer = staff("retry_job").post(reverse("admin:sync_job_run", args=[job.pk, "retry"]))
    assert (answer.status_code, Job.objects.get().state) == (403, "failed")


def test_button_is_no_link(route: Route, boss: Client) -> None:
    job = make_job(route)
    answer = boss.get(reverse("admin:sync_job_run", args=[job.pk, "retry"]))
    assert (answer.status_code, Job.objects.get().state) == (405, "failed")


def test_jobs_and_events_cannot_be_changed_by_hand(route: Route, boss: Client) -> None:
    make_history(route, 1)
    job = Job.objects.get()
    event = Event.objects.get()
    for screen, record in (("job", job), ("event", event)):
        change = reverse(f"admin:sync_{screen}_change", args=[record.pk])
        assert boss.post(change, {"state": "done"}).status_code == 403
        assert boss.post(reverse(f"admin:sync_{screen}_delete", args=[record.pk])).status_code == 403
        assert boss.get(reverse(f"admin:sync_{screen}_add")).status_code == 403


def test_relinking_is_for_superusers(route: Route, boss: Client, staff: Callable[..., Client]) -> None:
    link = Link.objects.create(
        route=route, source_id="1", target_id="2", content_hash="x", files={"A": ["1"]}
    )
    change = reverse("admin:sync_link_change", args=[link.pk])
    assert staff("view_link", "change_link").post(change, {"target_id": "3"}).status_code == 403
    boss.post(change, {"target_id": "https://vinipol.bitrix24.ru/crm/deal/details/33/"})
    link.refresh_from_db()
    assert (link.target_id, link.state, link.content_hash, link.files) == ("33", "linked", "", {})
    assert "2 → 33" in LogEntry.objects.get().change_message


def test_two_deals_are_not_mapped_to_one(route: Route, boss: Client) -> None:
    Link.objects.create(route=route, source_id="1", target_id="2")
    link = Link.objects.create(route=route, source_id="3", target_id="4")
    answer = boss.post(reverse("admin:sync_link_change", args=[link.pk]), {"target_id": "2"})
    assert "2 уже связана с 1" in answer.content.decode()
    assert Link.objects.get(pk=link.pk).target_id == "4"


def test_first_page_shows_only_what_the_user_may_see(route: Route, staff: Callable[..., Client]) -> None:
    make_job(route)
    page = staff("view_link").get(reverse("admin:index")).content.decode()
    assert "Задания с ошибкой" not in page
    assert "обработчик" not in page


def test_schedules_are_for_superusers(staff: Callable[..., Client], boss: Client) -> None:
    address = reverse("admin:django_q_schedule_changelist")
    assert staff("view_schedule", "change_schedule").get(address).status_code == 403
    assert boss.get(address).status_code == 200


@pytest.mark.parametrize(
    ("func", "args", "is_taken"),
    [
        ("sync.tasks.drain", "3", True),
        ("os.system", "'id'", False),
        ("sync.tasks.drain", "__import__('os')", False),
    ],
)
def test_schedule_calls_only_our_tasks(boss: Client, func: str, args: str, is_taken: bool) -> None:
    form = {"func": func, "args": args, "schedule_type": "O", "repeats": "-1", "name": "n"}
    form |= {"next_run_0": "2030-01-01", "next_run_1": "00:00:00"}
    answer = boss.post(reverse("admin:django_q_schedule_add"), form)
    assert (answer.status_code == 302) is is_taken


@pytest.mark.parametrize("screen", ["ormq", "success", "failure"])
def test_tasks_of_the_queue_are_hidden(boss: Client, screen: str) -> None:
    assert boss.get(f"/admin/django_q/{screen}/").status_code == 404
