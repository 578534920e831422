"""Our connection to a real RabbitMQ: what is confirmed is there, what is not acknowledged comes again."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pika
import pytest

from sync.connectors.rabbitmq.connection import connect
from sync.connectors.rabbitmq.delivery import AT_ONCE, MAX_BYTES, Delivery, Reading
from sync.errors import NeedsStaff, TryLater
from tests.rabbitmq import Exchange, gate_to


def fine(deliveries: list[Delivery]) -> list[str]:
    return ["" for _ in deliveries]


def read_until(
    exchange: Exchange, is_over: Callable[[], bool], take: Callable[..., list[str]] = fine
) -> None:
    """Read the requests until it is over, at most 10 s."""
    ends = time.monotonic() + 10
    with connect(exchange.url, name="test") as link:
        assert link.read(exchange.requests, take)
        while not is_over() and time.monotonic() < ends:
            link.turn(0.1)
    assert is_over()


def test_a_message_is_there_when_publish_returns(exchange: Exchange) -> None:
    with connect(exchange.url, name="test") as link:
        link.publish(exchange.requests, "{🙂}".encode(), message_id="a-uuid")
        assert exchange.nest.count(exchange.requests) == 1
    exchange.nest.assert_queue(exchange.requests)  # durable, no arguments: else the broker would refuse
    got = exchange.nest.get(exchange.requests)
    assert got.body == "{🙂}".encode()
    assert (got.exchange, got.routing_key) == ("", exchange.requests)
    assert (got.properties.delivery_mode, got.properties.message_id) == (2, "a-uuid")
    assert got.properties.headers is None


def test_a_queue_with_other_arguments_is_used_as_it_is(exchange: Exchange) -> None:
    exchange.nest.assert_queue(exchange.requests, **{"x-message-ttl": 60_000})
    with connect(exchange.url, name="test") as link:
        link.publish(exchange.requests, b"1")
        link.publish(exchange.requests, b"2")
    seen: list[bytes] = []

    def take(deliveries: list[Delivery]) -> list[str]:
        seen.extend(delivery.body for delivery in deliveries)
        return fine(deliveries)

    read_until(exchange, lambda: len(seen) == 2, take)
    assert seen == [b"1", b"2"]


def test_a_queue_deleted_under_way_is_no_loss(exchange: Exchange) -> None:
    with connect(exchange.url, name="test") as link:
        link.publish(exchange.requests, b"1")
        exchange.nest.delete(exchange.requests)
        with pytest.raises(TryLater, match="deleted"):
            link.publish(exchange.requests, b"2")
        link.publish(exchange.requests, b"2")
    assert exchange.nest.get(exchange.requests).body == b"2"


def test_a_refused_queue_leaves_the_others_open(exchange: Exchange) -> None:
    with connect(exchange.url, name="test") as link:
        with pytest.raises(NeedsStaff, match="amq"):
            link.publish("amq.nothing", b"1")
        link.publish(exchange.requests, b"2")
    assert exchange.nest.get(exchange.requests).body == b"2"


def test_batches_come_in_order_and_are_acknowledged_after_they_were_taken(exchange: Exchange) -> None:
    exchange.nest.assert_queue(exchange.requests)
    for number in range(AT_ONCE + 50):
        exchange.nest.write(exchange.requests, str(number).encode())
    batches: list[int] = []
    seen: list[bytes] = []

    def take(deliveries: list[Delivery]) -> list[str]:
        batches.append(len(deliveries))
        seen.extend(delivery.body for delivery in deliveries)
        return fine(deliveries)

    read_until(exchange, lambda: len(seen) == AT_ONCE + 50, take)
    assert seen == [str(number).encode() for number in range(AT_ONCE + 50)]
    assert max(batches) <= AT_ONCE
    assert exchange.nest.count(exchange.requests) == 0


def test_a_batch_is_no_larger_than_a_statement_may_be() -> None:
    reading = Reading("requests", channel=None, take=fine)
    bodies = [b"x" * (MAX_BYTES // 2 - 1)] * 5 + [b"x" * (MAX_BYTES + 1), b"last"]
    for number, body in enumerate(bodies):
        reading.keep(None, pika.spec.Basic.Deliver(delivery_tag=number), pika.BasicProperties(), body)
    batches = []
    while reading.waiting:
        tag, batch = reading.batch()
        batches.append((tag, len(batch)))
    assert batches == [(1, 2), (3, 2), (4, 1), (5, 1), (6, 1)]


def test_what_could_not_be_taken_comes_again(exchange: Exchange) -> None:
    exchange.nest.write(exchange.requests, b"1", message_id="one")

    def fail(_: list[Delivery]) -> list[str]:
        raise OSError("the database is away")

    with pytest.raises(OSError, match="away"):
        read_until(exchange, lambda: False, fail)
    seen: list[Delivery] = []

    def take(deliveries: list[Delivery]) -> list[str]:
        seen.extend(deliveries)
        return fine(deliveries)

    read_until(exchange, lambda: bool(seen), take)
    assert seen == [Delivery(exchange.requests, b"1", "one")]


def test_a_malformed_message_lies_among_the_dead_letters_with_the_reason(exchange: Exchange) -> None:
    exchange.nest.write(exchange.requests, b"good")
    exchange.nest.write(exchange.requests, b"\xffbad", message_id="m-1")
    exchange.nest.write(exchange.requests, b"good, too")

    def take(deliveries: list[Delivery]) -> list[str]:
        return ["no packet" * 50_000 if b"bad" in delivery.body else "" for delivery in deliveries]

    dead = f"{exchange.requests}.dead"
    exchange.nest.assert_queue(dead)
    read_until(exchange, lambda: exchange.nest.count(dead) == 1, take)
    got = exchange.nest.get(dead)
    assert got.body == b"\xffbad"
    assert got.properties.headers["reason"].startswith("no packet")
    assert got.properties.headers["queue"] == exchange.requests
    assert (got.properties.message_id, got.properties.delivery_mode) == ("m-1", 2)
    assert exchange.nest.count(exchange.requests) == 0


def test_a_second_reader_stands_by(exchange: Exchange) -> None:
    with connect(exchange.url, name="one") as one, connect(exchange.url, name="two") as two:
        assert one.read(exchange.requests, fine)
        assert not two.read(exchange.requests, fine)
        one.close()
        assert two.read(exchange.requests, fine)


def test_a_reading_that_the_broker_ends_is_told(exchange: Exchange) -> None:
    with connect(exchange.url, name="test") as link:
        link.read(exchange.requests, fine)
        exchange.nest.delete(exchange.requests)
        with pytest.raises(TryLater, match=exchange.requests):
            link.turn(5)


def test_how_a_queue_stands(exchange: Exchange) -> None:
    with connect(exchange.url, name="test") as link:
        assert link.state_of(exchange.requests) is None
        link.publish(exchange.requests, b"1")
        state = link.state_of(exchange.requests)
    assert state is not None
    assert (state.messages, state.consumers) == (1, 0)


def test_a_connection_that_is_cut_is_told(exchange: Exchange) -> None:
    gate, url = gate_to(exchange.url)
    with connect(url, name="test") as link:
        link.publish(exchange.requests, b"1")
        gate.shut()
        with pytest.raises(TryLater, match="does not answer"):
            link.publish(exchange.requests, b"2")
    with pytest.raises(TryLater, match="Connection refused"), connect(url, name="test"):
        pass
    assert exchange.nest.count(exchange.requests) == 1


WRONG = [
    ("amqp://guest:s3cret-pass@{host}:{port}/", NeedsStaff, "wrong name or password"),
    ("amqp://{user}:{password}@{host}:{port}/no-such-host-here", NeedsStaff, "no-such-host-here not found"),
    ("amqp://guest:s3cret-pass@{host}:1/", TryLater, "Connection refused"),
    ("amqp://guest:s3cret-pass@no-such-host.invalid:5672/", TryLater, "not known"),
    ("amqp://guest:s3cret-pass@{host}:s3cret-pass/", NeedsStaff, "cannot be read"),
    ("amqp://guest:s3cret-pass@{host}:{port}/?heartbeats=s3cret-pass", NeedsStaff, "cannot be read"),
    ("http://guest:s3cret-pass@{host}:{port}/", NeedsStaff, "cannot be read"),
    ("s3cret-pass", NeedsStaff, "cannot be read"),
]


@pytest.mark.parametrize(("url", "error", "said"), WRONG)
def test_a_wrong_address_is_told_without_the_password(
    exchange: Exchange, url: str, error: type[Exception], said: str
) -> None:
    right = urlsplit(exchange.url)
    words = {"host": right.hostname, "port": right.port, "user": right.username, "password": right.password}
    with pytest.raises(error, match=said) as refused, connect(url.format(**words), name="test"):
        pass
    message = f"{refused.value!r} {refused.value.__cause__!r}"
    assert "s3cret-pass" not in message


def test_heartbeats_may_be_set_in_the_address(exchange: Exchange) -> None:
    for query, seconds in (("", 30), ("?heartbeat=7", 7)):
        with connect(exchange.url + query, name="test") as link:
            assert link._connection._impl.params.heartbeat == seconds
