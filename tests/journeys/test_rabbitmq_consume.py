"""`manage.py consume` by itself: its states, its stop, and two consumers at once."""

from __future__ import annotations

import signal
import time

import pytest

from sandbox.demo import Process, wait_until
from sync.models import CoreUser, Event, Heartbeat, Portal, Route
from tests.journeys.leads import user
from tests.processes import Site
from tests.rabbitmq import Exchange, exchange, gate_to  # noqa: F401

pytestmark = pytest.mark.journey

SECONDS = 40


@pytest.fixture
def site_of_leads(exchange: Exchange, sqlite_site: Site) -> Site:  # noqa: F811
    """An installation that shares the test's queues."""
    sqlite_site.settings |= exchange.settings
    return sqlite_site


def add_route(site: Site) -> None:
    """Add the route of leads, to a portal that nobody calls."""
    with site.orm():
        core = Portal.objects.create(slug="core", kind="core")
        crm = Portal.objects.create(slug="crm", webhook_url="http://127.0.0.1:1/rest/1/x/")
        Route.objects.create(slug="leads", flow="leads", source=core, target=crm)


def wait_for_log(consumer: Process, words: str, *, times: int = 1) -> None:
    """Wait until the consumer has logged these words so many times."""
    wait_until(lambda: consumer.output().count(words) >= times, seconds=SECONDS, what=consumer.output)


def stored(site: Site) -> list[str]:
    """The record IDs of the stored events, in their order."""
    with site.orm():
        return list(Event.objects.order_by("id").values_list("record_id", flat=True))


def wait_until_stored(site: Site, consumer: Process, wanted: list[str]) -> None:
    """Wait until these events are stored, each once or more.

    A consumer killed before its acknowledgement leaves a repetition: messages of NestJS have no ID.
    """
    wait_until(lambda: list(dict.fromkeys(stored(site))) == wanted, seconds=SECONDS, what=consumer.output)


def test_without_rabbitmq_it_says_who_serves(sqlite_site: Site) -> None:
    done = sqlite_site.manage("consume")
    assert done.code != 0
    assert "RABBITMQ_URL is empty" in done.err
    assert "Set RABBITMQ_URL" in done.err


def test_without_a_route_requests_stay_at_rabbitmq_and_replies_are_read(
    site_of_leads: Site,
    exchange: Exchange,  # noqa: F811
) -> None:
    with site_of_leads.orm():
        known = CoreUser.objects.create(full_name="Анна", phone="+79161234567")
    exchange.nest.emit(exchange.requests, "user_created", {"user": user(1)})
    reply = {"status": "success", "user_id": known.pk, "bitrix_lead_id": 55}
    exchange.nest.emit(exchange.replies, "bitrix.responses", reply)
    consumer = site_of_leads.start("consume")
    wait_for_log(consumer, "no route of the flow")
    wait_for_log(consumer, f"Queue {exchange.replies} is read.")

    def is_linked() -> bool:
        with site_of_leads.orm():
            return CoreUser.objects.get().bitrix_lead_id == 55

    wait_until(is_linked, seconds=SECONDS, what=consumer.output)
    assert (exchange.nest.count(exchange.requests), stored(site_of_leads)) == (1, [])
    add_route(site_of_leads)
    wait_until_stored(site_of_leads, consumer, ["1"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_clean(site_of_leads: Site, exchange: Exchange, number: int) -> None:  # noqa: F811
    add_route(site_of_leads)
    consumer = site_of_leads.start("consume", "--role", "bitrix")
    wait_for_log(consumer, "is read.")
    with site_of_leads.orm():
        assert Heartbeat.consumers().count() == 1
        assert not Heartbeat.alive().exists(), "it is no worker"
    for one in range(1, 51):
        exchange.nest.emit(exchange.requests, "user_created", {"user": user(one)})
    consumer.child.send_signal(number)
    assert consumer.child.wait(timeout=20) == 0
    assert "It has stopped." in consumer.output()
    assert "Traceback" not in consumer.output()
    with site_of_leads.orm():
        assert not Heartbeat.consumers().exists()
    done = len(stored(site_of_leads))
    assert done + exchange.nest.count(exchange.requests) == 50, "each stored or still there, none twice"


def test_a_second_consumer_stands_by_and_takes_over(site_of_leads: Site, exchange: Exchange) -> None:  # noqa: F811
    add_route(site_of_leads)
    first = site_of_leads.start("consume", "--role", "bitrix")
    wait_for_log(first, "is read.")
    second = site_of_leads.start("consume")
    wait_for_log(second, "stands by")
    wait_for_log(second, f"Queue {exchange.replies} is read.")
    exchange.nest.emit(exchange.requests, "user_created", {"user": user(1)})
    wait_until_stored(site_of_leads, first, ["1"])
    first.kill()
    exchange.nest.emit(exchange.requests, "user_created", {"user": user(2)})
    wait_until_stored(site_of_leads, second, ["1", "2"])


def test_rabbitmq_goes_and_comes_back(site_of_leads: Site, exchange: Exchange) -> None:  # noqa: F811
    add_route(site_of_leads)
    gate, url = gate_to(exchange.url)
    consumer = site_of_leads.start("consume", "--role", "bitrix", RABBITMQ_URL=url)
    wait_for_log(consumer, "is read.")
    gate.shut()
    wait_for_log(consumer, "Connection refused")
    time.sleep(3.5)  # it tries again after 1 s and 2 s
    assert consumer.output().count("Connection refused") == 1, "a state is logged once"
    exchange.nest.emit(exchange.requests, "user_created", {"user": user(1)})
    gate.open()
    wait_for_log(consumer, "is read.", times=2)
    wait_until_stored(site_of_leads, consumer, ["1"])
    assert "guest:guest" not in consumer.output()


def test_the_database_goes_and_comes_back(exchange: Exchange, mysql_site: Site) -> None:  # noqa: F811
    mysql_site.settings |= exchange.settings
    add_route(mysql_site)
    gate, url = gate_to(mysql_site.database_url)
    consumer = mysql_site.start("consume", "--role", "bitrix", DATABASE_URL=url)
    wait_for_log(consumer, "is read.")
    exchange.nest.emit(exchange.requests, "user_created", {"user": user(1)})
    wait_until_stored(mysql_site, consumer, ["1"])
    gate.shut()
    exchange.nest.emit(exchange.requests, "user_created", {"user": user(2)})
    wait_for_log(consumer, "The database does not answer")
    wait_until(  # two: the first one was stored, but could not be acknowledged any more
        lambda: exchange.nest.count(exchange.requests) >= 1,
        seconds=SECONDS,
        what=lambda: "it keeps the message while it cannot store it",
    )
    gate.open()
    wait_until_stored(mysql_site, consumer, ["1", "2"])
    assert consumer.child.poll() is None
    consumer.stop()
    gate.shut()
