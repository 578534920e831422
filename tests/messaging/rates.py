"""Messages a second, sent with confirms and stored by the consumer: a measurement, so run by name only.

[TEST_DATABASE=mysql] .venv/bin/python -m pytest tests/messages/rates.py -s
"""

from __future__ import annotations

import os
import time
from functools import partial

import pytest

from sync.connectors.rabbitmq.connection import connect
from sync.messaging import publisher
from sync.messaging.roles import ROLES, take
from sync.models import CoreUser, Event, Message, Route
from tests.messaging.conftest import letters
from tests.rabbitmq import Exchange

COUNT = int(os.environ.get("MEASURE_MESSAGES", "5000"))

pytestmark = pytest.mark.django_db(transaction=True)


def tell(what: str, began: float) -> None:
    print(f"\n{what}: {COUNT / (time.monotonic() - began):.0f} messages/s")


def read_all(exchange: Exchange, *, role: str, queue: str) -> None:
    with connect(exchange.url, name="rates") as link:
        link.read(queue, partial(take, ROLES[role]))
        while exchange.nest.count(queue):
            link.turn(1)
        link.turn(1)


def test_requests(over_rabbitmq: Exchange, leads_route: Route) -> None:
    letters(COUNT, queue=over_rabbitmq.requests)
    began = time.monotonic()
    while Message.unsent().exists():
        publisher.send(seconds=600)
    tell("sent with confirms and marked", began)
    began = time.monotonic()
    read_all(over_rabbitmq, role="bitrix", queue=over_rabbitmq.requests)
    tell("requests stored as events", began)
    assert Event.objects.count() == COUNT


def test_replies(over_rabbitmq: Exchange) -> None:
    rows = [CoreUser(full_name=f"User {number}", phone="+79161234567") for number in range(COUNT)]
    CoreUser.objects.bulk_create(rows)
    for pk in CoreUser.objects.values_list("pk", flat=True):
        data = {"status": "success", "user_id": pk, "bitrix_lead_id": pk, "user": {"id": pk}}
        over_rabbitmq.nest.emit(over_rabbitmq.replies, "bitrix.responses", data)
    began = time.monotonic()
    read_all(over_rabbitmq, role="core", queue=over_rabbitmq.replies)
    tell("replies noted on their users", began)
    assert not CoreUser.objects.filter(bitrix_lead_id=None).exists()


def test_within_one_process(leads_route: Route) -> None:
    letters(COUNT, queue=str(ROLES["bitrix"].queue()))
    began = time.monotonic()
    while Message.unsent().exists():
        publisher.send(seconds=600)
    tell("handed over within one process", began)
    assert Event.objects.count() == COUNT
