"""The portal with reference data, and installations of real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.emulators.bitrix24 import start
from tests.databases import mysql_site, mysql_template, site, sqlite_site, sqlite_template  # noqa: F401
from tests.directories.reference import Reference


@pytest.fixture
def portal() -> Iterator[Reference]:
    emulator = start(bucket=None)
    yield Reference(emulator)
    emulator.stop()


@pytest.fixture
def reference(portal: Reference, transactional_db: None) -> Reference:
    """A small portal, and the shipped example imported."""
    portal.furnish()
    portal.configure()
    return portal
