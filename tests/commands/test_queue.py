"""`manage.py queue`: counts, the oldest, the forecast."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from sync.models import Event, Pace, Portal, Route
from tests.commands.conftest import ROUTE, Bus, furnish
from tests.processes import Site

STATES = {"waiting", "running", "done", "skipped", "failed", "cancelled"}


def test_empty_queue(bus: Bus) -> None:
    told = bus.queue()
    assert told["jobs"] == dict.fromkeys(STATES, 0)
    assert (told["oldest_waiting_seconds"], told["eta_seconds"], told["unsorted"]) == (0, 0, 0)
    assert told["routes"][ROUTE]["jobs"] == dict.fromkeys(STATES, 0)


def test_the_users_api_is_no_portal_with_a_pace(bus: Bus) -> None:
    with bus.site.orm():
        Portal.objects.create(slug="core", kind="core")
    assert set(bus.queue()["portals"]) == {"a", "b"}


def test_counts_on_both_engines(site: Site) -> None:
    bus = furnish(site)
    long_ago = timezone.now() - timedelta(seconds=500)
    bus.add_jobs(3, first=1, created_at=long_ago)
    bus.add_jobs(2, first=11, state="running")
    bus.add_jobs(4, first=21, state="done", created_at=long_ago - timedelta(days=9))
    bus.add_jobs(1, first=31, state="skipped")
    bus.add_jobs(2, first=41, state="failed", failure="config")
    bus.add_jobs(1, first=51, state="failed", failure="refused")
    bus.add_jobs(1, first=61, state="cancelled")
    told = bus.queue()
    expected = {"waiting": 3, "running": 2, "done": 4, "skipped": 1, "failed": 3, "cancelled": 1}
    assert told["jobs"] == expected
    assert told["failures"] == {"config": 2, "refused": 1}
    assert 500 <= told["oldest_waiting_seconds"] < 600
    assert told["routes"][ROUTE]["jobs"] == expected
    bus.a.stop()
    bus.b.stop()


def test_unsorted_webhooks_wait_too(bus: Bus) -> None:
    with bus.site.orm():
        a, b = Portal.objects.get(slug="a"), Portal.objects.get(slug="b")
        Route.objects.create(slug="a-b-again", source=a, target=b)
        for number in range(3):
            Event.objects.create(portal=a, fingerprint=str(number), entity="deal", record_id="1")
        Event.objects.create(portal=a, fingerprint="x", entity="deal", record_id="1", outcome="queued")
        Event.objects.update(received_at=timezone.now() - timedelta(seconds=70))
    told = bus.queue()
    assert (told["jobs"]["waiting"], told["unsorted"]) == (3, 3), "once in all, though two routes begin there"
    assert (told["routes"][ROUTE]["jobs"]["waiting"], told["routes"][ROUTE]["unsorted"]) == (3, 3)
    assert told["oldest_waiting_seconds"] >= 70
    assert told["eta_seconds"] > 0
    assert told["portals"]["a"]["unsorted"] == 3


def test_forecast_follows_the_pace(bus: Bus) -> None:
    bus.add_jobs(120)
    with bus.site.orm():
        Route.objects.update(options={"comment": "Deal {target_id}", "stage": "C2:UC_MXQPC8"})
    bus.portal("a", requests_per_minute=20, bucket_leak=2)
    told = bus.queue()
    # one request fetches all, five write comment and stage; the first may go at once
    assert told["portals"]["a"]["requests_left"] == 6
    assert told["portals"]["b"]["requests_left"] == 3
    assert told["eta_seconds"] == pytest.approx(5 * 60.25 / 20 + 1, abs=0.2)
    bus.portal("a", requests_per_minute=10)
    assert bus.queue()["eta_seconds"] == pytest.approx(5 * 60.25 / 10 + 1, abs=0.2)


def test_forecast_counts_from_the_step_where_jobs_stand(bus: Bus) -> None:
    bus.add_jobs(50, step="stage")
    told = bus.queue()
    assert told["portals"]["a"]["requests_left"] == 1
    assert told["portals"]["b"]["requests_left"] == 0


def test_forecast_waits_for_the_last_due_time(bus: Bus) -> None:
    bus.add_jobs(1)
    with bus.site.orm():
        Route.objects.get().jobs.update(due_at=timezone.now() + timedelta(seconds=300))
    assert bus.queue()["eta_seconds"] == pytest.approx(300, abs=10)


def test_nobody_can_say_when_a_portal_is_away(bus: Bus) -> None:
    bus.add_jobs(1)
    with bus.site.orm():
        pace = Pace.of(Portal.objects.get(slug="b"))
        now = time.time()
        pace.failed_one("b: the portal cannot be reached.", began=now, now=now, is_lasting=True)
    told = bus.queue()
    assert told["eta_seconds"] is None
    assert told["eta_reason"] == "Portal b is away: the portal cannot be reached."
    assert told["portals"]["b"]["state"] == "away"
    assert told["portals"]["a"]["state"] == "answers"
    assert "cannot be reached" in bus.run("queue").out


def test_nobody_can_say_when_paused(bus: Bus) -> None:
    bus.add_jobs(1)
    bus.portal("b", is_paused=True)
    told = bus.queue()
    assert (told["eta_seconds"], told["eta_reason"]) == (None, "Portal b is paused.")
    assert told["portals"]["b"]["state"] == "paused"
    bus.portal("b", is_paused=False)
    with bus.site.orm():
        Route.objects.update(is_paused=True)
    told = bus.queue()
    assert (told["eta_seconds"], told["eta_reason"]) == (None, f"Route {ROUTE} is paused.")


def test_one_route(bus: Bus) -> None:
    with bus.site.orm():
        b = Portal.objects.get(slug="b")
        c = Portal.objects.create(slug="c", webhook_url=bus.b.url)
        Route.objects.create(slug="b-c", source=b, target=c)
    bus.add_jobs(2)
    bus.add_jobs(5, route="b-c")
    told = bus.queue("--route", ROUTE)
    assert told["jobs"]["waiting"] == 2
    assert set(told["routes"]) == {ROUTE}
    assert set(told["portals"]) == {"a", "b"}
    assert bus.queue()["jobs"]["waiting"] == 7


def test_unknown_route_is_refused(bus: Bus) -> None:
    done = bus.run("queue", "--route", "nobody")
    assert done.code != 0
    assert "There is no route nobody. There are: a-b." in done.err


def test_table_for_people(bus: Bus) -> None:
    bus.add_jobs(2)
    bus.add_jobs(3, first=11, state="failed", failure="config")
    lines = bus.run("queue").out.splitlines()
    assert lines[0].split()[:2] == ["route", "waiting"]
    assert lines[1].split()[:2] == [ROUTE, "2"]
    assert any(line.split()[:2] == ["a", "answers"] for line in lines)
    assert any("config 3" in line and "manage.py retry" in line for line in lines)
