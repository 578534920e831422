"""An emulated portal with reference data, and installations with real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.emulators.bitrix24 import start
from tests.directories.reference import ReferencePortal


@pytest.fixture
def portal() -> Iterator[ReferencePortal]:
    """An emulated portal, still empty."""
    emulator = start(bucket=None)
    yield ReferencePortal(emulator)
    emulator.stop()


@pytest.fixture
def reference(portal: ReferencePortal, transactional_db: None) -> ReferencePortal:
    """A portal with a few records, and the shipped example imported."""
    portal.seed()
    portal.configure()
    return portal
