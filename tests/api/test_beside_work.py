"""Webhooks come in while workers write: they do not wait for long work, and none of them is mixed up."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import IntegrityError, connections, transaction

from sandbox.demo.processes import wait_until
from sync import inbox
from sync.connectors.types import IncomingEvent
from sync.db import transactions
from sync.db.transactions import atomically, in_turn
from sync.inbox import group_commit
from sync.models import Event, Portal
from tests.api.conftest import TOKEN, install
from tests.environment import IS_MYSQL
from tests.processes import Site, WebServer

ON_SQLITE = pytest.mark.skipif(IS_MYSQL, reason="there each event has an INSERT of its own")
SECONDS = 5  # long for a webhook, short for what it must not wait for

WRITE_AGAIN_AND_AGAIN = """
import time
from sync.models import Pace
from sync.db.transactions import atomically, in_turn
def work():
    Pace.objects.filter(portal_id=0).update(tat=0)
    print("in", flush=True)
    time.sleep(0.1)
while True:
    atomically(work)
"""

WRITE_ONCE = """
from sync.db.transactions import atomically, in_turn
atomically(lambda: print("in", flush=True))
"""


def _send(web: WebServer, number: int) -> int:
    """Send a webhook about that deal; the HTTP status."""
    data = {"ID": str(number), "token": TOKEN}
    return requests.post(f"{web.url}/inbound/from-source", data=data, timeout=SECONDS).status_code


def test_a_webhook_does_not_wait_for_sorting(mysql_site: Site) -> None:
    """An event refers to its portal: a lock on the portal's row would hold it up."""
    install(mysql_site)
    web = mysql_site.serve()
    assert _send(web, 1) == 200
    with mysql_site.orm(), transaction.atomic():
        assert inbox.sort(Portal.objects.get(slug="source")) == 1  # its locks stay until we leave
        assert _send(web, 2) == 200


def test_webhooks_get_their_turn_beside_a_worker_that_never_rests(sqlite_site: Site) -> None:
    install(sqlite_site)
    web = sqlite_site.serve()
    worker = sqlite_site.start("shell", "-c", WRITE_AGAIN_AND_AGAIN)
    wait_until(lambda: "in" in worker.output(), seconds=20, what=worker.output)
    assert [_send(web, number) for number in range(1, 9)] == [200] * 8


def test_workers_line_up_behind_each_other_and_webhooks_do_not(sqlite_site: Site) -> None:
    install(sqlite_site)
    web = sqlite_site.serve()
    database = Path(sqlite_site.database_url.removeprefix("sqlite:///"))
    with database.with_name(f"{database.name}-line").open("ab") as line:
        fcntl.flock(line, fcntl.LOCK_EX)  # a worker waits for its turn
        worker = sqlite_site.start("shell", "-c", WRITE_ONCE)
        assert _send(web, 1) == 200
        with pytest.raises(TimeoutError):
            wait_until(lambda: "in" in worker.output(), seconds=SECONDS, what=worker.output)
    wait_until(lambda: "in" in worker.output(), seconds=20, what=worker.output)


def _event(portal_id: int, fingerprint: str) -> Event:
    """An event, not stored yet."""
    return Event(portal_id=portal_id, fingerprint=fingerprint, entity="deal", record_id="1")


def _together(*events: Event) -> list[Any]:
    """Store each in a thread of its own while another writer holds the turn; the error of each, or None."""
    errors: list[Any] = [None] * len(events)

    def store(place: int) -> None:
        try:
            group_commit.store(events[place])
        except IntegrityError as error:
            errors[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=store, args=(place,)) for place in range(len(events))]
    with in_turn():
        for place, thread in enumerate(threads):
            thread.start()
            wait_until(lambda: len(group_commit._waiting) == place + 1, seconds=10, what=lambda: "a thread")  # noqa: B023
    for thread in threads:
        thread.join()
    return errors


@pytest.fixture
def inserts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each INSERT held."""
    sizes: list[int] = []
    insert: Callable[[list[Event]], None] = group_commit._insert

    def recording_insert(events: list[Event]) -> None:
        sizes.append(len(events))
        insert(events)

    monkeypatch.setattr(group_commit, "_insert", recording_insert)
    return sizes


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
def test_events_of_several_threads_go_into_one_insert(inserts: list[int]) -> None:
    portal = Portal.objects.create(slug="source")
    assert _together(*[_event(portal.pk, str(number)) for number in range(5)]) == [None] * 5
    assert inserts == [5]
    assert sorted(Event.objects.values_list("fingerprint", flat=True)) == ["0", "1", "2", "3", "4"]


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
def test_an_event_that_cannot_be_stored_takes_no_other_with_it(inserts: list[int]) -> None:
    portal = Portal.objects.create(slug="source")
    inbox.receive(portal, IncomingEvent("deal", "", "9", own_id="9", sent_at="1"), details={})
    known = Event.objects.get().fingerprint
    events = [_event(portal.pk, "a"), _event(portal.pk, known), _event(10**9, "b"), _event(portal.pk, "c")]
    errors = _together(*events)
    assert [isinstance(error, IntegrityError) for error in errors] == [False, True, True, False]
    assert set(Event.objects.values_list("fingerprint", flat=True)) == {known, "a", "c"}
    assert inserts == [1, 4, 1, 1, 1, 1]


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
def test_a_forked_process_does_not_hold_its_parents_turn() -> None:
    """The kernel frees a file when the last one who has it open is gone: a child would keep a dead one's."""
    with in_turn():
        assert transactions._files
        child = os.fork()
        if not child:
            os._exit(len(transactions._files))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.django_db(transaction=True)
def test_a_turn_inside_a_transaction_waits_for_nobody() -> None:
    """Who is inside holds the database already: to wait there for a turn would stop everybody."""
    done = threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                atomically(lambda: atomically(done.set))
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert done.is_set()
