"""Fixtures: installations over scratch databases, migrated once a run and copied for each test.

`site` runs a test once per engine: SQLite, and MariaDB (or MySQL) where TEST_MYSQL_URL reaches one;
`sqlite_site` and `mysql_site` are one of them. A test directory takes them in its conftest.py:

    from tests.databases import mysql_site, mysql_template, site, sqlite_site, sqlite_template  # noqa: F401
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import environ
import MySQLdb
import pytest

from tests.processes import Site

MYSQL_URL = os.environ.get("TEST_MYSQL_URL", "mysql://root:@127.0.0.1:3306/")


@contextmanager
def _sqlite(template: Path, folder: Path) -> Iterator[str]:
    """The URL of a copy of the template file."""
    path = folder / "site.sqlite3"
    shutil.copy(template, path)
    yield f"sqlite:///{path}"


@contextmanager
def _mysql(template: str, _: Path) -> Iterator[str]:
    """The URL of a copy of the template database, dropped afterwards."""
    with empty_mysql() as url, _cursor() as cursor:
        _copy_tables(cursor, template, url.rpartition("/")[2])
        yield url


@contextmanager
def empty_mysql() -> Iterator[str]:
    """The address of a database without tables, which is gone afterwards; skips where none can be had."""
    if not _is_mysql_there():
        pytest.skip(f"no MySQL or MariaDB at {MYSQL_URL}")
    name = f"b24_scratch_{uuid.uuid4().hex[:12]}"
    with _cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield f"{MYSQL_URL}{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def _copy_tables(cursor: Any, template: str, name: str) -> None:
    """Copy all tables with their rows."""
    cursor.execute("SET foreign_key_checks = 0")
    cursor.execute(f"USE {name}")
    cursor.execute(f"SHOW TABLES FROM {template}")
    for (table,) in cursor.fetchall():
        cursor.execute(f"SHOW CREATE TABLE {template}.{table}")
        cursor.execute(cursor.fetchone()[1])
        cursor.execute(f"INSERT INTO {table} SELECT * FROM {template}.{table}")


@contextmanager
def _cursor() -> Iterator[Any]:
    """A cursor of the server of the tests."""
    config = environ.Env.db_url_config(MYSQL_URL)
    port = int(config["PORT"] or 3306)
    link = MySQLdb.connect(
        host=config["HOST"], port=port, user=config["USER"], password=config["PASSWORD"], autocommit=True
    )
    try:
        yield link.cursor()
    finally:
        link.close()


def _is_mysql_there() -> bool:
    """Whether the server answers."""
    try:
        with _cursor():
            return True
    except MySQLdb.Error:
        return False


def _migrate(folder: Path, database_url: str) -> None:
    """Run our migrations on an empty database."""
    done = Site(folder, database_url, blocker=None).manage("migrate", "--verbosity", "0")
    assert done.code == 0, done.err


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    folder = tmp_path_factory.mktemp("template")
    _migrate(folder, f"sqlite:///{folder / 'template.sqlite3'}")
    return folder / "template.sqlite3"


@pytest.fixture(scope="session")
def mysql_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated MariaDB or MySQL database; tests that need one are skipped where none is reachable."""
    with empty_mysql() as url:
        _migrate(tmp_path_factory.mktemp("template"), url)
        yield url.rpartition("/")[2]


SCRATCH: dict[str, tuple[str, Callable[[Any, Path], AbstractContextManager[str]]]] = {
    "sqlite": ("sqlite_template", _sqlite),
    "mysql": ("mysql_template", _mysql),
}


@contextmanager
def open_site(engine: str, *, request: pytest.FixtureRequest, folder: Path) -> Iterator[Site]:
    """An installation over a fresh database of this engine."""
    template, scratch = SCRATCH[engine]
    blocker = request.getfixturevalue("django_db_blocker")
    with scratch(request.getfixturevalue(template), folder) as url:
        site = Site(folder, url, blocker=blocker)
        try:
            yield site
        finally:
            site.stop()


@pytest.fixture(params=["sqlite", "mysql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An installation, once per engine."""
    with open_site(request.param, request=request, folder=tmp_path) as opened:
        yield opened


@pytest.fixture
def sqlite_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An installation on SQLite."""
    with open_site("sqlite", request=request, folder=tmp_path) as opened:
        yield opened


@pytest.fixture
def mysql_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An installation on MariaDB or MySQL."""
    with open_site("mysql", request=request, folder=tmp_path) as opened:
        yield opened
