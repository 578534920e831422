"""`manage.py queue`: counts, the oldest, the forecast."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from sync.models import Event, Pace, Portal, Route
from tests.commands.conftest import ROUTE, CommandSite, install
from tests.processes import Site

STATES = {"waiting", "running", "done", "skipped", "failed", "cancelled"}


def test_empty_queue(pair: CommandSite) -> None:
    status = pair.queue()
    assert status["jobs"] == dict.fromkeys(STATES, 0)
    assert (status["oldest_waiting_seconds"], status["eta_seconds"], status["unsorted"]) == (0, 0, 0)
    assert status["routes"][ROUTE]["jobs"] == dict.fromkeys(STATES, 0)


def test_the_users_api_is_no_portal_with_a_pace(pair: CommandSite) -> None:
    with pair.site.orm():
        Portal.objects.create(slug="core", kind="core")
    assert set(pair.queue()["portals"]) == {"a", "b"}


def test_counts_on_both_engines(site: Site) -> None:
    pair = install(site)
    long_ago = timezone.now() - timedelta(seconds=500)
    pair.add_jobs(3, first=1, created_at=long_ago)
    pair.add_jobs(2, first=11, state="running")
    pair.add_jobs(4, first=21, state="done", created_at=long_ago - timedelta(days=9))
    pair.add_jobs(1, first=31, state="skipped")
    pair.add_jobs(2, first=41, state="failed", failure="config")
    pair.add_jobs(1, first=51, state="failed", failure="refused")
    pair.add_jobs(1, first=61, state="cancelled")
    status = pair.queue()
    expected = {"waiting": 3, "running": 2, "done": 4, "skipped": 1, "failed": 3, "cancelled": 1}
    assert status["jobs"] == expected
    assert status["failures"] == {"config": 2, "refused": 1}
    assert 500 <= status["oldest_waiting_seconds"] < 600
    assert status["routes"][ROUTE]["jobs"] == expected
    pair.a.stop()
    pair.b.stop()


def test_unsorted_webhooks_wait_too(pair: CommandSite) -> None:
    with pair.site.orm():
        a, b = Portal.objects.get(slug="a"), Portal.objects.get(slug="b")
        Route.objects.create(slug="a-b-again", source=a, target=b)
        for number in range(3):
            Event.objects.create(portal=a, fingerprint=str(number), entity="deal", record_id="1")
        Event.objects.create(portal=a, fingerprint="x", entity="deal", record_id="1", outcome="queued")
        Event.objects.update(received_at=timezone.now() - timedelta(seconds=70))
    status = pair.queue()
    assert (status["jobs"]["waiting"], status["unsorted"]) == (3, 3), (
        "once in all, though two routes begin there"
    )
    assert (status["routes"][ROUTE]["jobs"]["waiting"], status["routes"][ROUTE]["unsorted"]) == (3, 3)
    assert status["oldest_waiting_seconds"] >= 70
    assert status["eta_seconds"] > 0
    assert status["portals"]["a"]["unsorted"] == 3


def test_forecast_follows_the_pace(pair: CommandSite) -> None:
    pair.add_jobs(120)
    with pair.site.orm():
        Route.objects.update(options={"comment": "Deal {target_id}", "stage": "C2:UC_MXQPC8"})
    pair.change_portal("a", requests_per_minute=20, bucket_leak=2)
    status = pair.queue()
    # one request fetches all, five write comment and stage; the first may go at once
    assert status["portals"]["a"]["requests_left"] == 6
    assert status["portals"]["b"]["requests_left"] == 3
    assert status["eta_seconds"] == pytest.approx(5 * 60.25 / 20 + 1, abs=0.2)
    pair.change_portal("a", requests_per_minute=10)
    assert pair.queue()["eta_seconds"] == pytest.approx(5 * 60.25 / 10 + 1, abs=0.2)


def test_forecast_counts_from_the_step_where_jobs_stand(pair: CommandSite) -> None:
    pair.add_jobs(50, step="stage")
    status = pair.queue()
    assert status["portals"]["a"]["requests_left"] == 1
    assert status["portals"]["b"]["requests_left"] == 0


def test_forecast_waits_for_the_last_due_time(pair: CommandSite) -> None:
    pair.add_jobs(1)
    with pair.site.orm():
        Route.objects.get().jobs.update(due_at=timezone.now() + timedelta(seconds=300))
    assert pair.queue()["eta_seconds"] == pytest.approx(300, abs=10)


def test_nobody_can_say_when_a_portal_is_away(pair: CommandSite) -> None:
    pair.add_jobs(1)
    with pair.site.orm():
        pace = Pace.of(Portal.objects.get(slug="b"))
        now = time.time()
        pace.failed_one("b: the portal cannot be reached.", began=now, now=now, is_lasting=True)
    status = pair.queue()
    assert status["eta_seconds"] is None
    assert status["eta_reason"] == "Portal b is away: the portal cannot be reached."
    assert status["portals"]["b"]["state"] == "away"
    assert status["portals"]["a"]["state"] == "answers"
    assert "cannot be reached" in pair.run("queue").out


def test_nobody_can_say_when_paused(pair: CommandSite) -> None:
    pair.add_jobs(1)
    pair.change_portal("b", is_paused=True)
    status = pair.queue()
    assert (status["eta_seconds"], status["eta_reason"]) == (None, "Portal b is paused.")
    assert status["portals"]["b"]["state"] == "paused"
    pair.change_portal("b", is_paused=False)
    with pair.site.orm():
        Route.objects.update(is_paused=True)
    status = pair.queue()
    assert (status["eta_seconds"], status["eta_reason"]) == (None, f"Route {ROUTE} is paused.")


def test_one_route(pair: CommandSite) -> None:
    with pair.site.orm():
        b = Portal.objects.get(slug="b")
        c = Portal.objects.create(slug="c", webhook_url=pair.b.url)
        Route.objects.create(slug="b-c", source=b, target=c)
    pair.add_jobs(2)
    pair.add_jobs(5, route="b-c")
    status = pair.queue("--route", ROUTE)
    assert status["jobs"]["waiting"] == 2
    assert set(status["routes"]) == {ROUTE}
    assert set(status["portals"]) == {"a", "b"}
    assert pair.queue()["jobs"]["waiting"] == 7


def test_unknown_route_is_refused(pair: CommandSite) -> None:
    done = pair.run("queue", "--route", "nobody")
    assert done.code != 0
    assert "There is no route nobody. There are: a-b." in done.err


def test_table_for_people(pair: CommandSite) -> None:
    pair.add_jobs(2)
    pair.add_jobs(3, first=11, state="failed", failure="config")
    lines = pair.run("queue").out.splitlines()
    assert lines[0].split()[:2] == ["route", "waiting"]
    assert lines[1].split()[:2] == [ROUTE, "2"]
    assert any(line.split()[:2] == ["a", "answers"] for line in lines)
    assert any("config 3" in line and "manage.py retry" in line for line in lines)
