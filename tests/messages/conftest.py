"""A real RabbitMQ with queues of the test's own, and our settings pointed at them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pika
import pytest

from sync.models import Message, Portal, Route
from tests.messages.nest import Nest

URL = os.environ["TEST_RABBITMQ_URL"]


@dataclass
class Exchange:
    """Names of this test's queues, and a NestJS program that shares them."""

    url: str
    requests: str
    replies: str
    nest: Nest


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """Fresh queue names; whatever was declared under them is deleted afterwards."""
    mark = f"test_{uuid.uuid4().hex[:12]}"
    try:
        nest = Nest(URL)
    except pika.exceptions.AMQPError:
        pytest.skip(f"no RabbitMQ at {URL}")
    names = Exchange(URL, requests=f"{mark}.requests", replies=f"{mark}.replies", nest=nest)
    yield names
    for queue in (names.requests, names.replies):
        for name in (queue, f"{queue}.dead"):
            nest.delete(name)
    nest.close()


@pytest.fixture
def over_rabbitmq(exchange: Exchange, settings: Any) -> Exchange:
    """Our settings name this RabbitMQ and these queues."""
    settings.RABBITMQ_URL = exchange.url
    settings.RABBITMQ_QUEUE = exchange.requests
    settings.RABBITMQ_REPLY_QUEUE = exchange.replies
    return exchange


@pytest.fixture
def leads_route(db: None) -> Route:
    """Where requests about leads begin and end."""
    core = Portal.objects.create(slug="core", kind=Portal.Kind.CORE)
    crm = Portal.objects.create(slug="crm", webhook_url="http://127.0.0.1:1/rest/1/x/")
    return Route.objects.create(slug="leads", flow=Route.Flow.LEADS, source=core, target=crm)


def letters(count: int, *, queue: str, first: int = 1) -> list[Message]:
    """Messages stored in the outbox, about users `first` and following."""
    rows = [
        Message(queue=queue, pattern="user_created", data={"action": "create_card", "user": {"id": number}})
        for number in range(first, first + count)
    ]
    return Message.objects.bulk_create(rows)


__all__ = ["Exchange", "letters"]
