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
    """Names of this test's queues, and a NestJS program that shares them."""

    url: str
    requests: str
    replies: str
    nest: Nest

    @property
    def settings(self) -> dict[str, str]:
        """What our processes are told."""
        return {
            "RABBITMQ_URL": self.url,
            "RABBITMQ_QUEUE": self.requests,
            "RABBITMQ_REPLY_QUEUE": self.replies,
        }


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """Fresh queue names; whatever was declared under them is deleted afterwards.

    To be asked for before a site, so that its processes have ended by then: they would declare them again.
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
    """A gate before the server of this address, and the address of the gate."""
    address = urlsplit(url)
    gate = Gate((address.hostname or "", address.port or 5672))
    return gate, url.replace(address.netloc, f"{address.username}:{address.password}@127.0.0.1:{gate.port}")
