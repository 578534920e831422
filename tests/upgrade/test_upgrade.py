"""An installation of c6f295d, upgraded in the middle of its work as docs/upgrade.md tells: each record, once.

How the installation was made: make_installation.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils.module_loading import import_string
from django_q.models import Schedule, Task

from sandbox.demo import wait_until
from sandbox.emulators.bitrix24 import Emulator, start
from sync.models import CoreUser, Event, Job, Link, Message, Object, Portal
from tests.databases import empty_mysql
from tests.processes import Site
from tests.upgrade.arrival import Arrival, leads_of
from tests.upgrade.dump import into_mysql, into_sqlite, portals_and_promises, rows_of
from tests.upgrade.portals import fill

pytestmark = pytest.mark.journey

TOOK = 120.0
"""Seconds between the last moment of the old version and the first of the new one."""

EVENTS = ("ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMTIMELINECOMMENTADD", "ONCRMTIMELINECOMMENTUPDATE")
TOKEN = "rehearsal-token"
STATES = {"waiting": 200, "failed": 20, "running": 20}


@pytest.fixture(scope="module")
def saved() -> dict[str, Any]:
    """What the portals held, and what was promised."""
    return portals_and_promises()


@pytest.fixture
def later(saved: dict[str, Any]) -> timedelta:
    """From then to now."""
    return timedelta(seconds=time.time() - TOOK - saved["made_at"])


@pytest.fixture
def old_file(tmp_path: Path, later: timedelta) -> Path:
    """The database of the old version."""
    path = tmp_path / "old.sqlite3"
    into_sqlite(path, later=later)
    return path


@pytest.fixture(params=["sqlite", "mysql"])
def old_site(
    request: pytest.FixtureRequest, tmp_path: Path, old_file: Path, django_db_blocker: Any
) -> Iterator[Site]:
    """The new code over the database of the old version, once per engine."""
    settings = {"SQLITE_SYNCHRONOUS": "NORMAL", "WORKERS": "2", "WATCHDOG_SECONDS": "20"}
    if request.param == "sqlite":
        site = Site(tmp_path, f"sqlite:///{old_file}", django_db_blocker, settings)
        yield site
        site.stop()
        return
    with empty_mysql() as url:
        site = Site(tmp_path, url, django_db_blocker, settings)
        into_mysql(site, old_file)
        yield site
        site.stop()


@pytest.fixture
def portals(saved: dict[str, Any], later: timedelta) -> Iterator[dict[str, Emulator]]:
    """The two portals, with what they held."""
    found = {slug: start(port=0) for slug in ("source", "vinipol")}
    for slug, emulator in found.items():
        fill(emulator.portal, saved["portals"][slug], later=later)
    yield found
    for emulator in found.values():
        emulator.stop()


@pytest.mark.timeout(600)
def test_each_record_is_delivered_once(
    old_site: Site, old_file: Path, portals: dict[str, Emulator], saved: dict[str, Any]
) -> None:
    jobs = open_or_failed(old_file)
    upgrade(old_site)
    connect(old_site, portals)
    web = old_site.serve()
    for slug, emulator in portals.items():
        for event in EVENTS:
            emulator.listen(event, f"{web.url}/inbound/from-{slug}", application_token=TOKEN)
    worker = old_site.start("qcluster")
    retried = old_site.manage("retry")
    assert retried.code == 0, retried.err
    wait_until(lambda: is_idle(old_site, portals), seconds=400, what=lambda: story(old_site, worker))

    promised = saved["expected"]
    arrival = Arrival(portals["source"], portals["vinipol"], promised)
    assert arrival.faults() == {}
    assert [emulator.stats()["duplicates_by_origin"] for emulator in portals.values()] == [0, 0]
    with old_site.orm():
        states = dict(Job.objects.filter(pk__in=jobs).values_list("pk", "state"))
        assert set(states) == set(jobs), "jobs were lost"
        assert set(states.values()) <= {"done", "skipped"}, story(old_site, worker)
        assert not Link.objects.exclude(state=Link.State.LINKED).exists()
        assert Link.objects.filter(entity="deal").count() == len(arrival.cards)
        assert not Message.unsent().exists()
        assert Object.objects.count() == 60
        assert [task.result for task in Task.objects.filter(success=False)] == [], "a stored wake-up failed"
        assert all(callable(import_string(row.func)) for row in Schedule.objects.all())
        users = dict(CoreUser.objects.values_list("pk", "lead_state"))
    assert leads_of(portals["vinipol"], users) == []
    assert set(users.values()) == {"linked"}
    assert requests.get(f"{web.url}/readyz", timeout=30).status_code == 200
    examined = old_site.manage("doctor")
    assert examined.code == 0, examined.out
    the_same_request_is_answered_as_before(web.url, promised["key"], users)


def open_or_failed(path: Path) -> list[int]:
    """IDs of the jobs that had work to do when the old version stopped."""
    columns, rows = rows_of(path)["sync_job"]
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    for state, count in STATES.items():
        assert sum(job["state"] == state for job in found) == count, state
    assert any(job["source_id"].startswith("?") for job in found)
    return [job["id"] for job in found if job["state"] in STATES]


def upgrade(site: Site) -> None:
    """What docs/upgrade.md does with `manage.py` while nothing runs."""
    for words in (["check"], ["migrate", "--verbosity", "0"], ["migrate", "--check"]):
        done = site.manage(*words)
        assert done.code == 0, done.err


def connect(site: Site, portals: dict[str, Emulator]) -> None:
    """The stand-in portals have other ports than they had."""
    with site.orm():
        for slug, emulator in (*portals.items(), ("reference", portals["source"])):
            Portal.objects.filter(slug=slug).update(webhook_url=emulator.url)


def is_idle(site: Site, portals: dict[str, Emulator]) -> bool:
    """Whether nothing is left to do, our own echoes included."""
    told = all([emulator.wait_for_events() for emulator in portals.values()])
    with site.orm():
        return told and not (
            Job.objects.filter(state__in=Job.OPEN).exists()
            or Event.objects.filter(outcome=Event.Outcome.WAITING).exists()
            or Message.unsent().exists()
        )


def story(site: Site, worker: Any) -> str:
    """What is not through, and the worker's last words."""
    with site.orm():
        left = Job.objects.exclude(state__in=("done", "skipped"))
        rows = list(left.values("pk", "kind", "source_id", "state", "step", "due_at", "failure", "note")[:20])
    return f"{rows} {worker.output()[-3000:]}"


def the_same_request_is_answered_as_before(url: str, key: str, users: dict[int, str]) -> None:
    """The answer to an Idempotency-Key outlives the upgrade: no second user is made."""
    body = {"full_name": "Последний 1", "phone": "+79170000001", "stage": "NEW"}
    headers = {"X-Api-Key": key, "Idempotency-Key": "once-1"}
    answer = requests.post(f"{url}/users", json=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (201, "true"), answer.text
    assert answer.json()["id"] in users
