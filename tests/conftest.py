"""What every test shares: the suite's database, and the choice of tests for the run on MariaDB."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections
from django.utils import translation

from tests.environment import IS_MYSQL

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "admin_client", "live_server"}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    """Use a SQLite file, as in production: in memory, threads would share one connection's locks."""
    if IS_MYSQL:
        request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")
        return
    file = tmp_path_factory.mktemp("suite") / "suite.sqlite3"
    connections["default"].settings_dict["TEST"]["NAME"] = str(file)


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """Begin each test in the language of the settings: a request leaves its own language in the thread."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On MariaDB run only the tests that touch the suite's database, without those in a browser."""
    if not IS_MYSQL:
        return
    kept = [item for item in items if _touches_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _touches_database(item: pytest.Item) -> bool:
    """Whether the test uses the suite's database, and no browser."""
    fixtures = set(getattr(item, "fixturenames", ()))
    touches = item.get_closest_marker("django_db") is not None or bool(fixtures & DATABASE_FIXTURES)
    return touches and "browser" not in fixtures
