"""Fixtures: installations over scratch databases, migrated once a run and copied for each test.

`site` runs a test once per engine: SQLite, and MariaDB (or MySQL) where TEST_MYSQL_URL reaches one;
`sqlite_site` and `mysql_site` are one of them. `tests/conftest.py` takes them for all tests: in the conftest
of a directory they would be other fixtures, with templates of their own.
"""

from __future__ import annotations

import fcntl
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

MYSQL_URL = os.environ["TEST_MYSQL_URL"]
RUN = Path(os.environ["TEST_RUN_FOLDER"])
"""What the processes of this run share."""

MYSQL_TEMPLATE = f"b24_template_{RUN.name[-8:]}"


@contextmanager
def sqlite_copy(template: Path, folder: Path) -> Iterator[str]:
    """The URL of a copy of the template file."""
    path = folder / "site.sqlite3"
    shutil.copy(template, path)
    yield f"sqlite:///{path}"


@contextmanager
def mysql_copy(template: str, _: Path | None = None) -> Iterator[str]:
    """The URL of a copy of the template database, dropped afterwards."""
    with empty_mysql() as url, _cursor() as cursor:
        _copy_tables(cursor, template, url.rpartition("/")[2])
        yield url


@contextmanager
def empty_mysql() -> Iterator[str]:
    """The address of a database without tables, which is gone afterwards; skips where none can be had."""
    _need_mysql()
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


def _need_mysql() -> None:
    """Skip the test where the server does not answer."""
    try:
        with _cursor():
            return
    except MySQLdb.Error:
        pytest.skip(f"no MySQL or MariaDB at {MYSQL_URL}")


def _migrate(folder: Path, database_url: str) -> None:
    """Run our migrations on an empty database."""
    done = Site(folder, database_url, blocker=None).manage("migrate", "--verbosity", "0")
    assert done.code == 0, done.err


@contextmanager
def _first_of_run(name: str) -> Iterator[bool]:
    """Whether nobody of this run was here before; one process at a time."""
    made = RUN / f"{name}.made"
    with (RUN / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not made.exists()
        made.touch()


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    """A migrated SQLite file."""
    path = RUN / "template.sqlite3"
    with _first_of_run("sqlite") as is_first:
        if is_first:
            _migrate(RUN, f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def mysql_template() -> str:
    """A migrated MariaDB or MySQL database; tests that need one are skipped where none is reachable."""
    _need_mysql()
    with _first_of_run("mysql") as is_first, _cursor() as cursor:
        if is_first:
            cursor.execute(f"CREATE DATABASE {MYSQL_TEMPLATE} CHARACTER SET utf8mb4")
            _migrate(RUN, f"{MYSQL_URL}{MYSQL_TEMPLATE}")
    return MYSQL_TEMPLATE


def forget_templates() -> None:
    """At the end of the run."""
    if (RUN / "mysql.lock").exists():
        with _cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {MYSQL_TEMPLATE}")
    shutil.rmtree(RUN, ignore_errors=True)


SCRATCH: dict[str, tuple[str, Callable[[Any, Path], AbstractContextManager[str]]]] = {
    "sqlite": ("sqlite_template", sqlite_copy),
    "mysql": ("mysql_template", mysql_copy),
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
