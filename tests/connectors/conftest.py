"""An emulated portal and a client that calls it."""

from collections.abc import Iterator

import pytest

from sandbox.emulators.bitrix24 import Emulator, start
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.types import Access


@pytest.fixture
def portal() -> Iterator[Emulator]:
    emulator = start()
    yield emulator
    emulator.stop()


@pytest.fixture
def client(portal: Emulator) -> Bitrix24Client:
    return Bitrix24Client(Access("source", portal.url, allow_private=True, read_timeout=5))
