"""Our settings pointed at a real RabbitMQ, and a route of leads."""

from __future__ import annotations

from typing import Any

import pytest

from sync.models import Message, Portal, Route
from tests.rabbitmq import Exchange, exchange  # noqa: F401


@pytest.fixture
def over_rabbitmq(exchange: Exchange, settings: Any) -> Exchange:  # noqa: F811
    """Our settings name this RabbitMQ and these queues."""
    for name, value in exchange.settings.items():
        setattr(settings, name, value)
    return exchange


@pytest.fixture
def leads_route(db: None) -> Route:
    """Where requests about leads begin and end."""
    core = Portal.objects.create(slug="core", kind="core")
    crm = Portal.objects.create(slug="crm", webhook_url="http://127.0.0.1:1/rest/1/x/")
    return Route.objects.create(slug="leads", flow="leads", source=core, target=crm)


def letters(count: int, *, queue: str, first: int = 1) -> list[Message]:
    """Messages stored in the outbox, about users `first` and following."""
    rows = [
        Message(queue=queue, pattern="user_created", data={"action": "create_card", "user": {"id": number}})
        for number in range(first, first + count)
    ]
    return Message.objects.bulk_create(rows)
