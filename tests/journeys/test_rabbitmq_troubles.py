"""RabbitMQ goes, consumers are killed, messages come twice: one lead a user, every request its reply."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from sync.models import CoreUser, Event, Message, OutboxLease
from tests.journeys.leads import LeadsRig, reply_data, user
from tests.nest import ReceivedMessage
from tests.processes import Site
from tests.rabbitmq import Exchange, exchange, gate_to  # noqa: F401

pytestmark = pytest.mark.journey

USERS = int(os.environ.get("MEASURE_USERS", "300"))
"""Users of the burst; MEASURE_USERS=5000 with -s prints the rates of the full size."""

REQUESTS = 30


@pytest.fixture
def rig(exchange: Exchange, sqlite_site: Site) -> Iterator[LeadsRig]:  # noqa: F811
    """An installation on SQLite, still without portal and route."""
    rig = LeadsRig(sqlite_site, exchange)
    yield rig
    rig.stop()


@pytest.fixture
def mysql_rig(exchange: Exchange, mysql_site: Site) -> Iterator[LeadsRig]:  # noqa: F811
    """An installation on MariaDB, still without portal and route."""
    rig = LeadsRig(mysql_site, exchange)
    yield rig
    rig.stop()


def has_id(number: int) -> bool:
    """Whether the message about this user has an ID, as ours do; those of NestJS have none."""
    return number % 2 == 0


def emit_requests(rig: LeadsRig) -> None:
    """Write REQUESTS requests to the queue, one a user; every second one has an ID."""
    nest, names = rig.exchange.nest, rig.exchange
    for number in range(1, REQUESTS + 1):
        data = {"action": "create_card", "user": user(number), "replyQueue": names.replies}
        properties = {"message_id": f"id-{number}"} if has_id(number) else {}
        nest.emit(names.requests, "user_created", data, properties=properties)


def stored(rig: LeadsRig) -> int:
    """The number of stored events."""
    with rig.site.orm():
        return Event.objects.count()


def replies(rig: LeadsRig, count: int) -> Counter[int]:
    """Read `count` replies, after which the queue is empty; user ID → how many of them."""
    got: list[ReceivedMessage] = rig.exchange.nest.get_all(rig.exchange.replies, count, seconds=60)
    assert rig.exchange.nest.count(rig.exchange.replies) == 0
    assert all(reply_data(one)["status"] == "success" for one in got)
    return Counter(reply_data(one)["user_id"] for one in got)


def once_each() -> dict[str, int]:
    """Every user ID → 1."""
    return {str(number): 1 for number in range(1, REQUESTS + 1)}


def test_a_consumer_killed_before_the_commit_loses_and_doubles_nothing(rig: LeadsRig) -> None:
    """Somebody holds the database's write lock while it stores its batch."""
    rig.install()
    consumer = rig.consume("--role", "bitrix")
    path = rig.site.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        emit_requests(rig)
        rig.wait_until(lambda: rig.exchange.nest.count(rig.exchange.requests) == 0)  # delivered
        consumer.kill()
        holder.execute("ROLLBACK")
    assert stored(rig) == 0
    rig.wait_until(lambda: rig.exchange.nest.count(rig.exchange.requests) == REQUESTS)  # given back
    rig.consume("--role", "bitrix")
    rig.work()
    assert replies(rig, REQUESTS) == {number: 1 for number in range(1, REQUESTS + 1)}
    assert rig.leads_a_user() == once_each()


def test_a_consumer_killed_before_its_acknowledgement_loses_and_doubles_nothing(rig: LeadsRig) -> None:
    """Its acknowledgements are held back on the way. Requests without an ID are done again, and answered
    again, but nobody gets a second lead.
    """
    rig.install()
    gate, url = gate_to(rig.exchange.url)
    rig.site.settings["RABBITMQ_URL"] = url
    consumer = rig.consume("--role", "bitrix")
    gate.hold()
    emit_requests(rig)
    rig.wait_until(lambda: stored(rig) == REQUESTS)
    consumer.kill()
    gate.shut()
    rig.wait_until(lambda: rig.exchange.nest.count(rig.exchange.requests) == REQUESTS)  # given back
    gate.open()
    rig.consume("--role", "bitrix")
    rig.work()
    times = {number: 1 if has_id(number) else 2 for number in range(1, REQUESTS + 1)}
    rig.wait_until(lambda: stored(rig) == sum(times.values()) and rig.is_quiet())
    assert replies(rig, sum(times.values())) == times
    assert rig.leads_a_user() == once_each()


def post(rig: LeadsRig, web: Any, number: int) -> int:
    """Create a user by the users API; its ID."""
    body = {"full_name": f"User {number}", "phone": f"+7916{number:07d}", "stage": "NEW"}
    return int(rig.ask(web, "POST", "/users", **body)["id"])


def is_linked(rig: LeadsRig, count: int) -> bool:
    """Whether so many users know their lead, and no other work is open."""
    return rig.states() == {"linked": count} and rig.is_quiet()


def test_rabbitmq_away_for_a_while_delays_and_loses_nothing(mysql_rig: LeadsRig) -> None:
    rig = mysql_rig
    rig.install()
    gate, url = gate_to(rig.exchange.url)
    rig.site.settings["RABBITMQ_URL"] = url
    web = rig.serve()
    rig.work()
    rig.consume()
    ids = [post(rig, web, number) for number in range(5)]
    rig.wait_until(lambda: is_linked(rig, 5))
    gate.shut()
    ids += [post(rig, web, number) for number in range(5, 25)]
    for one in ids:
        rig.ask(web, "POST", f"/users/{one}/move", stage="IN_PROCESS")

    def is_trouble_recorded() -> bool:
        with rig.site.orm():
            return OutboxLease.objects.filter(failures__gte=2, trouble__contains="does not answer").exists()

    rig.wait_until(is_trouble_recorded)
    assert len(rig.leads()) == 5
    gate.open()
    rig.wait_until(lambda: is_linked(rig, 25))
    assert rig.leads_a_user() == {str(one): 1 for one in ids}
    assert {lead["STATUS_ID"] for lead in rig.leads()} == {"IN_PROCESS"}
    with rig.site.orm():
        assert OutboxLease.objects.get().trouble == ""
    gate.shut()


def burst(rig: LeadsRig, web: Any) -> None:
    """Create, rename and move users, from eight threads at once."""

    def one(number: int) -> None:
        key = post(rig, web, number)
        rig.ask(web, "PATCH", f"/users/{key}", full_name=f"Renamed {number}")
        rig.ask(web, "POST", f"/users/{key}/move", stage="IN_PROCESS")

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(one, range(USERS)))


@pytest.mark.timeout(3600)
def test_a_burst_is_delivered_in_order_within_the_limits(mysql_rig: LeadsRig) -> None:
    rig = mysql_rig
    rig.install(bucket=(50, 2.0), requests_per_minute=120, burst=1, bucket_size=50, bucket_leak=2.0)
    web = rig.serve()
    rig.work()
    rig.consume()
    began = time.monotonic()
    burst(rig, web)
    posted = time.monotonic()
    with rig.site.orm():
        assert Message.objects.filter(queue=rig.exchange.requests).count() == USERS * 3
    rig.wait_until(lambda: is_linked(rig, USERS), seconds=120 + USERS)
    ended = time.monotonic()
    print(
        f"\n{USERS} users: {3 * USERS / (posted - began):.0f} requests/s posted, all linked after "
        f"{ended - began:.1f} s, {ended - posted:.1f} s after the last"
    )
    stats = rig.portal.get("stats")
    print({name: stats[name] for name in ("requests", "calls", "limit_errors", "max_in_sliding_minute")})
    assert set(rig.leads_a_user().values()) == {1}
    assert len(rig.leads()) == USERS
    assert {(lead["NAME"].split()[0], lead["STATUS_ID"]) for lead in rig.leads()} == {
        ("Renamed", "IN_PROCESS")
    }
    assert stats["limit_errors"] == 0
    assert stats["max_in_sliding_minute"] <= 121
    with rig.site.orm():
        assert CoreUser.objects.filter(bitrix_lead_id=None).count() == 0
        rows = Event.objects.order_by("id").values_list("record_id", "action")
        actions: dict[str, list[str]] = {}
        for record_id, action in rows:
            actions.setdefault(record_id, []).append(action)
    assert set(map(tuple, actions.values())) == {("create", "update", "move")}
