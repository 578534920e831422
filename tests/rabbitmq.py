"""Fixtures: a real RabbitMQ with queues of the test's own, so that runs side by side do not meet.

A test directory takes them in its conftest.py: `from tests.rabbitmq import exchange  # noqa: F401`
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pika
import pytest

from tests.gate import Gate
from tests.nest import Nest

URL = os.environ["TEST_RABBITMQ_URL"]


@dataclass
class Exchange:
    """The names of the test's queues, and a NestJS program that uses them."""

    url: str
    requests: str
    replies: str
    nest: Nest

    @property
    def settings(self) -> dict[str, str]:
        """The settings of our processes."""
        return {
            "RABBITMQ_URL": self.url,
            "RABBITMQ_QUEUE": self.requests,
            "RABBITMQ_REPLY_QUEUE": self.replies,
        }


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """Fresh queue names; whatever was declared under them is deleted afterwards.

    A test requests it before its site, so that the site's processes have ended by then: they would declare
    the queues again.
    """
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


def gate_to(url: str) -> tuple[Gate, str]:
    """A gate in front of the server of a URL, and the URL through the gate."""
    address = urlsplit(url)
    gate = Gate((address.hostname or "", address.port or 5672))
    return gate, url.replace(address.netloc, f"{address.username}:{address.password}@127.0.0.1:{gate.port}")
