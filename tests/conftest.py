"""What every test shares: the suite's database, and the choice of tests for the run on MariaDB."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections
from django.utils import translation

from tests.databases import (  # noqa: F401
    MYSQL_URL,
    forget_templates,
    mysql_copy,
    mysql_site,
    mysql_template,
    site,
    sqlite_site,
    sqlite_template,
)
from tests.environment import IS_FIRST, IS_MYSQL

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "admin_client", "live_server"}


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The suite's database is there, a copy of a migrated one."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Use a SQLite file, as in production: in memory, threads would share one connection's locks."""
    test = connections["default"].settings_dict["TEST"]
    if IS_MYSQL:
        with mysql_copy(request.getfixturevalue("mysql_template")) as url:
            test["NAME"] = url.removeprefix(MYSQL_URL)
            yield
        return
    file = tmp_path_factory.mktemp("suite") / "suite.sqlite3"
    shutil.copy(request.getfixturevalue("sqlite_template"), file)
    test["NAME"] = str(file)
    yield


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing of the run is left behind."""
    if IS_FIRST:
        forget_templates()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Half a second of hashing for each user of a test would be for nothing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
