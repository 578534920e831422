"""Sending the outbox: everything, in order, by one sender; over a real RabbitMQ and within one process."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import transaction
from django_q.models import OrmQ

from sync.connectors.rabbitmq.connection import Connection
from sync.connectors.rabbitmq.delivery import Delivery
from sync.errors import TryLater
from sync.messaging import publisher, users
from sync.messaging.roles import ROLES, take
from sync.models import CoreUser, Event, Message, OutboxLease, Route
from sync.queue import wakeup
from tests.messaging.conftest import letters
from tests.rabbitmq import Exchange, gate_to

pytestmark = pytest.mark.django_db(transaction=True)

FULL = {"full_name": "Анна", "phone": "+79161234567", "stage": "NEW"}


def unsent() -> list[int]:
    return list(Message.unsent().values_list("pk", flat=True))


def lease() -> OutboxLease:
    return OutboxLease.objects.get(pk=OutboxLease.ROW)


def seconds_until_wakeup() -> float:
    """When the next sender is woken, from now on; 0 for a wake-up that is due already."""
    (row,) = OrmQ.objects.all()
    return max(0.0, row.lock.timestamp() - time.time())


def test_all_are_sent_in_their_order_and_marked(over_rabbitmq: Exchange) -> None:
    rows = letters(publisher.AT_ONCE * 2 + 5, queue=over_rabbitmq.requests)
    assert publisher.send()
    assert unsent() == []
    got = over_rabbitmq.nest.get_all(over_rabbitmq.requests, len(rows))
    assert [one.packet["data"]["user"]["id"] for one in got] == list(range(1, len(rows) + 1))
    assert [one.properties.message_id for one in got] == [str(row.uuid) for row in rows]
    assert lease().holder == ""


def test_nothing_to_send_asks_nobody(settings: Any) -> None:
    settings.RABBITMQ_URL = "amqp://guest:guest@127.0.0.1:1/"
    assert publisher.send()
    assert lease().trouble == ""


def test_a_second_sender_leaves_at_once(over_rabbitmq: Exchange) -> None:
    letters(1, queue=over_rabbitmq.requests)
    assert OutboxLease.take("another", now=time.time(), until=time.time() + 60)
    assert not publisher.send()
    assert len(unsent()) == 1
    assert lease().holder == "another"


def test_who_lost_the_lease_stops(over_rabbitmq: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    letters(publisher.AT_ONCE + 1, queue=over_rabbitmq.requests)
    publish = Connection.publish

    def lose(*args: Any, **options: Any) -> None:
        OutboxLease.objects.update(holder="another", lease_until=time.time() + 60)
        publish(*args, **options)

    monkeypatch.setattr(Connection, "publish", lose)
    publisher.send()
    assert len(unsent()) == 1
    assert lease().holder == "another"


def test_who_lost_the_lease_leaves_the_next_one_alone(
    over_rabbitmq: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters(1, queue=over_rabbitmq.requests)
    until = time.time() + 600

    def lose(*_: Any, **__: Any) -> None:
        OutboxLease.objects.update(holder="another", lease_until=until)
        raise TryLater("the line is cut")

    monkeypatch.setattr(Connection, "publish", lose)
    publisher.send()
    assert (lease().holder, lease().lease_until) == ("another", until)


def test_a_message_whose_id_is_lower_than_those_sent_goes_too(over_rabbitmq: Exchange) -> None:
    """Transactions commit in another order than that of their IDs."""
    late, early = letters(2, queue=over_rabbitmq.requests)
    Message.objects.filter(pk=late.pk).delete()
    publisher.send()
    late.save(force_insert=True)
    publisher.send()
    got = over_rabbitmq.nest.get_all(over_rabbitmq.requests, 2)
    assert [one.properties.message_id for one in got] == [str(early.uuid), str(late.uuid)]


def test_messages_that_came_meanwhile_wake_a_sender_again(over_rabbitmq: Exchange) -> None:
    letters(3, queue=over_rabbitmq.requests)
    publisher.send(seconds=0)
    assert len(unsent()) == 3
    assert seconds_until_wakeup() == 0


def test_what_was_confirmed_before_the_line_broke_is_marked(
    over_rabbitmq: Exchange, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = letters(5, queue=over_rabbitmq.requests)
    gate, settings.RABBITMQ_URL = gate_to(over_rabbitmq.url)
    publish, count = Connection.publish, 0

    def cut(*args: Any, **options: Any) -> None:
        nonlocal count
        count += 1
        if count == 4:
            gate.shut()
        publish(*args, **options)

    monkeypatch.setattr(Connection, "publish", cut)
    publisher.send()
    assert unsent() == [row.pk for row in rows[3:]]
    assert "does not answer" in lease().trouble
    assert over_rabbitmq.nest.count(over_rabbitmq.requests) == 3


def test_a_crash_before_the_mark_sends_again_what_is_known_by_its_id(
    over_rabbitmq: Exchange, leads_route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.create(FULL)
    with monkeypatch.context() as crash:
        crash.setattr(Message, "mark_sent", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publisher.send()
    OutboxLease.objects.update(lease_until=0)
    publisher.send()
    one, again = over_rabbitmq.nest.get_all(over_rabbitmq.requests, 2)
    assert (one.body, one.properties.message_id) == (again.body, again.properties.message_id)
    for got in (one, again):
        delivery = Delivery(over_rabbitmq.requests, got.body, got.properties.message_id)
        assert take(ROLES["bitrix"], [delivery]) == [""]
    assert Event.objects.count() == 1


def test_trouble_is_told_and_waited_out_longer_and_longer(settings: Any) -> None:
    settings.RABBITMQ_URL = "amqp://guest:s3cret-pass@127.0.0.1:1/"
    letters(1, queue="any")
    for pause in (1, 2, 4):
        OrmQ.objects.all().delete()
        OutboxLease.objects.update(lease_until=0)
        assert publisher.send()
        assert pause - 0.5 < seconds_until_wakeup() < pause + 0.5
        assert not publisher.send(), "nobody tries before the pause is over"
    row = lease()
    assert (row.failures, len(unsent())) == (3, 1)
    assert "Connection refused" in row.trouble
    assert "s3cret-pass" not in row.trouble
    OutboxLease.objects.update(failures=40, lease_until=0)
    OrmQ.objects.all().delete()
    publisher.send()
    assert 55 < seconds_until_wakeup() < 61


def test_after_trouble_all_goes_on(over_rabbitmq: Exchange, settings: Any) -> None:
    settings.RABBITMQ_URL = "amqp://guest:guest@127.0.0.1:1/"
    letters(2, queue=over_rabbitmq.requests)
    publisher.send()
    settings.RABBITMQ_URL = over_rabbitmq.url
    OutboxLease.objects.update(lease_until=0)
    publisher.send()
    assert unsent() == []
    assert (lease().failures, lease().trouble) == (0, "")


def test_a_queue_that_may_not_be_written_stops_no_other(over_rabbitmq: Exchange) -> None:
    stuck = letters(1, queue="amq.nobodys")
    letters(2, queue=over_rabbitmq.requests)
    publisher.send()
    assert unsent() == [stuck[0].pk]
    assert "amq.nobodys" in lease().trouble
    assert lease().holder == "", "others need not wait"
    assert 0.5 < seconds_until_wakeup() < 1.5
    letters(1, queue=over_rabbitmq.requests)
    publisher.send()
    assert unsent() == [stuck[0].pk]


def test_a_put_wakes_a_sender_after_the_commit() -> None:
    users.create(FULL)
    assert len(unsent()) == 1
    assert seconds_until_wakeup() == 0
    assert OrmQ.objects.get().func() == "sync.tasks.send_messages"
    users.create(FULL)
    assert OrmQ.objects.count() == 1, "one wake-up is enough"


def test_no_sender_is_woken_before_the_commit() -> None:
    """The queued wake-up would count as enough then, and might be answered too early."""
    with transaction.atomic():
        users.create(FULL)
        assert not OutboxLease.objects.exclude(wake_at=None).exists()
    assert lease().wake_at is not None


def test_a_rolled_back_user_leaves_no_message_and_no_wakeup(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(wakeup, "wake_for_messages", fail)
    monkeypatch.setattr(users.outbox, "put", fail)
    with pytest.raises(RuntimeError):
        users.create(FULL)
    assert not CoreUser.objects.exists()
    assert unsent() == []


def test_within_one_process_requests_become_events(leads_route: Route) -> None:
    user = users.create(FULL)
    users.move(user.pk, "WON")
    publisher.send()
    assert unsent() == []
    events = list(Event.objects.order_by("id").values_list("portal_id", "action", "record_id"))
    core = leads_route.source_id
    assert events == [(core, "create", str(user.pk)), (core, "move", str(user.pk))]


def test_within_one_process_replies_reach_their_users(settings: Any) -> None:
    user = users.create(FULL)
    Message.objects.all().delete()
    data = {"status": "success", "user_id": user.pk, "bitrix_lead_id": 55, "user": {}}
    Message.objects.create(queue=settings.RABBITMQ_REPLY_QUEUE, pattern="bitrix.responses", data=data)
    publisher.send()
    user.refresh_from_db()
    assert (user.bitrix_lead_id, unsent()) == (55, [])


def test_within_one_process_a_crash_leaves_neither_event_nor_mark(
    leads_route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.create(FULL)

    def crash(*_: Any) -> None:
        raise RuntimeError("before the mark")

    monkeypatch.setattr(Message, "mark_sent", crash)
    with pytest.raises(RuntimeError):
        publisher.send()
    assert (Event.objects.count(), len(unsent())) == (0, 1)


def test_without_a_route_requests_wait_and_replies_do_not(settings: Any, request: Any) -> None:
    user = users.create(FULL)
    data = {"status": "success", "user_id": user.pk, "bitrix_lead_id": 55, "user": {}}
    Message.objects.create(queue=settings.RABBITMQ_REPLY_QUEUE, pattern="bitrix.responses", data=data)
    publisher.send()
    assert len(unsent()) == 1
    assert "Leads" in lease().trouble
    user.refresh_from_db()
    assert user.bitrix_lead_id == 55
    request.getfixturevalue("leads_route")
    publisher.send()
    assert (unsent(), lease().trouble) == ([], "")


def test_a_foreign_queue_is_out_of_reach_within_one_process() -> None:
    letters(1, queue="somebody.elses")
    publisher.send()
    assert len(unsent()) == 1
    assert "somebody.elses" in lease().trouble
    assert "RABBITMQ_URL" in lease().trouble
