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

from sync.models import CoreUser, Dispatch, Event, Message
from tests.journeys.leads import LeadStage, answered, user
from tests.nest import Got
from tests.processes import Site
from tests.rabbitmq import Exchange, exchange, gate_to  # noqa: F401

pytestmark = pytest.mark.journey

USERS = int(os.environ.get("MEASURE_USERS", "300"))
"""Of the burst; MEASURE_USERS=5000 with -s tells the rates of the full size."""

REQUESTS = 30


@pytest.fixture
def stage(exchange: Exchange, sqlite_site: Site) -> Iterator[LeadStage]:  # noqa: F811
    """The exchange on SQLite; the test furnishes it."""
    play = LeadStage(sqlite_site, exchange)
    yield play
    play.stop()


@pytest.fixture
def mysql_stage(exchange: Exchange, mysql_site: Site) -> Iterator[LeadStage]:  # noqa: F811
    """The exchange on MariaDB; the test furnishes it."""
    play = LeadStage(mysql_site, exchange)
    yield play
    play.stop()


def has_id(number: int) -> bool:
    """Whether the message about this user has an ID, as ours do; those of NestJS have none."""
    return number % 2 == 0


def emit_requests(stage: LeadStage) -> None:
    """As many requests as there are users."""
    nest, names = stage.exchange.nest, stage.exchange
    for number in range(1, REQUESTS + 1):
        data = {"action": "create_card", "user": user(number), "replyQueue": names.replies}
        properties = {"message_id": f"id-{number}"} if has_id(number) else {}
        nest.emit(names.requests, "user_created", data, properties=properties)


def stored(stage: LeadStage) -> int:
    with stage.site.orm():
        return Event.objects.count()


def replies(stage: LeadStage, count: int) -> Counter[int]:
    """How many replies each user has got; there are so many in all."""
    got: list[Got] = stage.exchange.nest.get_all(stage.exchange.replies, count, seconds=60)
    assert stage.exchange.nest.count(stage.exchange.replies) == 0
    assert all(answered(one)["status"] == "success" for one in got)
    return Counter(answered(one)["user_id"] for one in got)


def once_each() -> dict[str, int]:
    return {str(number): 1 for number in range(1, REQUESTS + 1)}


def test_a_consumer_killed_before_the_commit_loses_and_doubles_nothing(stage: LeadStage) -> None:
    """Somebody holds the database's write lock while it stores its batch."""
    stage.furnish()
    consumer = stage.consume("--role", "bitrix")
    path = stage.site.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        emit_requests(stage)
        stage.until(lambda: stage.exchange.nest.count(stage.exchange.requests) == 0)  # delivered
        consumer.kill()
        holder.execute("ROLLBACK")
    assert stored(stage) == 0
    stage.until(lambda: stage.exchange.nest.count(stage.exchange.requests) == REQUESTS)  # given back
    stage.consume("--role", "bitrix")
    stage.work()
    assert replies(stage, REQUESTS) == {number: 1 for number in range(1, REQUESTS + 1)}
    assert stage.leads_a_user() == once_each()


def test_a_consumer_killed_before_its_acknowledgement_loses_and_doubles_nothing(stage: LeadStage) -> None:
    """Its acknowledgements are held back on the way. Requests without an ID are done again, and answered
    again, but nobody gets a second lead.
    """
    stage.furnish()
    gate, url = gate_to(stage.exchange.url)
    stage.site.settings["RABBITMQ_URL"] = url
    consumer = stage.consume("--role", "bitrix")
    gate.hold()
    emit_requests(stage)
    stage.until(lambda: stored(stage) == REQUESTS)
    consumer.kill()
    gate.shut()
    stage.until(lambda: stage.exchange.nest.count(stage.exchange.requests) == REQUESTS)  # given back
    gate.open()
    stage.consume("--role", "bitrix")
    stage.work()
    times = {number: 1 if has_id(number) else 2 for number in range(1, REQUESTS + 1)}
    stage.until(lambda: stored(stage) == sum(times.values()) and stage.is_quiet())
    assert replies(stage, sum(times.values())) == times
    assert stage.leads_a_user() == once_each()


def post(stage: LeadStage, web: Any, number: int) -> int:
    """A new user, by the users API; its ID."""
    body = {"full_name": f"User {number}", "phone": f"+7916{number:07d}", "stage": "NEW"}
    return int(stage.ask(web, "POST", "/users", **body)["id"])


def is_linked(stage: LeadStage, count: int) -> bool:
    return stage.states() == {"linked": count} and stage.is_quiet()


def test_rabbitmq_away_for_a_while_delays_and_loses_nothing(mysql_stage: LeadStage) -> None:
    stage = mysql_stage
    stage.furnish()
    gate, url = gate_to(stage.exchange.url)
    stage.site.settings["RABBITMQ_URL"] = url
    web = stage.serve()
    stage.work()
    stage.consume()
    ids = [post(stage, web, number) for number in range(5)]
    stage.until(lambda: is_linked(stage, 5))
    gate.shut()
    ids += [post(stage, web, number) for number in range(5, 25)]
    for one in ids:
        stage.ask(web, "POST", f"/users/{one}/move", stage="IN_PROCESS")

    def is_told() -> bool:
        with stage.site.orm():
            return Dispatch.objects.filter(failures__gte=2, trouble__contains="does not answer").exists()

    stage.until(is_told)
    assert len(stage.leads()) == 5
    gate.open()
    stage.until(lambda: is_linked(stage, 25))
    assert stage.leads_a_user() == {str(one): 1 for one in ids}
    assert {lead["STATUS_ID"] for lead in stage.leads()} == {"IN_PROCESS"}
    with stage.site.orm():
        assert Dispatch.objects.get().trouble == ""
    gate.shut()


def burst(stage: LeadStage, web: Any) -> None:
    """Users created, renamed and moved at once, by eight callers."""

    def one(number: int) -> None:
        key = post(stage, web, number)
        stage.ask(web, "PATCH", f"/users/{key}", full_name=f"Renamed {number}")
        stage.ask(web, "POST", f"/users/{key}/move", stage="IN_PROCESS")

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(one, range(USERS)))


@pytest.mark.timeout(3600)
def test_a_burst_is_delivered_in_order_within_the_limits(mysql_stage: LeadStage) -> None:
    stage = mysql_stage
    stage.furnish(emulator=(), requests_per_minute=120, burst=1, bucket_size=50, bucket_leak=2.0)
    web = stage.serve()
    stage.work()
    stage.consume()
    began = time.monotonic()
    burst(stage, web)
    posted = time.monotonic()
    with stage.site.orm():
        assert Message.objects.filter(queue=stage.exchange.requests).count() == USERS * 3
    stage.until(lambda: is_linked(stage, USERS), seconds=120 + USERS)
    ended = time.monotonic()
    print(
        f"\n{USERS} users: {3 * USERS / (posted - began):.0f} requests/s posted, all linked after "
        f"{ended - began:.1f} s, {ended - posted:.1f} s after the last"
    )
    told = stage.portal.get("stats")
    print({name: told[name] for name in ("requests", "calls", "limit_errors", "max_in_sliding_minute")})
    assert set(stage.leads_a_user().values()) == {1}
    assert len(stage.leads()) == USERS
    assert {(lead["NAME"].split()[0], lead["STATUS_ID"]) for lead in stage.leads()} == {
        ("Renamed", "IN_PROCESS")
    }
    assert told["limit_errors"] == 0
    assert told["max_in_sliding_minute"] <= 121
    with stage.site.orm():
        assert CoreUser.objects.filter(bitrix_lead_id=None).count() == 0
        rows = Event.objects.order_by("id").values_list("record_id", "action")
        asked: dict[str, list[str]] = {}
        for record_id, action in rows:
            asked.setdefault(record_id, []).append(action)
    assert set(map(tuple, asked.values())) == {("create", "update", "move")}
