"""Another application's MySQL database: its own names, its own columns with defaults, its own rows."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
import MySQLdb
import pytest

from sync.models import Directory
from tests.databases import MYSQL_URL

SCHEMA = (
    """CREATE TABLE app_towns (
        town_no INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(60) NOT NULL, bitrix INT NULL UNIQUE,
        removed TINYINT(1) NOT NULL DEFAULT 0, region VARCHAR(20) NOT NULL DEFAULT 'north',
        made_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) CHARACTER SET utf8mb4""",
    """CREATE TABLE app_places (
        id BIGINT AUTO_INCREMENT PRIMARY KEY, `label of place` VARCHAR(10) NOT NULL, b24 VARCHAR(20) NULL,
        town INT NOT NULL REFERENCES app_towns (town_no), `state` VARCHAR(50) NOT NULL,
        lost_at DATETIME NULL, priority INT NOT NULL DEFAULT 5, KEY (b24)) CHARACTER SET utf8mb4""",
    "INSERT INTO app_towns (title, region) VALUES ('City 1', 'south'), ('Elsewhere', 'west')",
)
CONFIG = """
portals:
  - {slug: reference, webhook_url: "${BITRIX_WEBHOOK_URL}"}
routes:
  - {slug: directories, flow: directories, source: reference}
directories:
  - slug: place
    route: directories
    method: lists.element.get
    params: {IBLOCK_TYPE_ID: bitrix_processes, IBLOCK_ID: "77"}
    table: app_places
    key_column: b24
    gone_column: lost_at
    adopt_by: ""
    parent: town
    parent_field: PROPERTY_637
    parent_column: town
    fields:
      - {column: label of place, field: NAME, required: true}
      - {column: state, field: PROPERTY_645, label: true}
  - slug: town
    route: directories
    method: lists.field.get
    params: {IBLOCK_TYPE_ID: bitrix_processes, IBLOCK_ID: "77", FIELD_ID: PROPERTY_637}
    table: app_towns
    key_column: bitrix
    gone_column: removed
    adopt_by: title
    fields:
      - {column: title, field: NAME, required: true}
"""


class ForeignDatabase:
    """Another application's database, with tables that we fill."""

    def __init__(self, url: str, cursor: Any) -> None:
        self.url, self.cursor = url, cursor

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        self.cursor.execute(sql)
        return list(self.cursor.fetchall())


@contextmanager
def _database() -> Iterator[ForeignDatabase]:
    """Make the other application's database and drop it afterwards."""
    config = environ.Env.db_url_config(MYSQL_URL)
    name = f"b24_scratch_{uuid.uuid4().hex[:12]}"
    link = MySQLdb.connect(
        host=config["HOST"],
        port=int(config["PORT"] or 3306),
        user=config["USER"],
        password=config["PASSWORD"],
        autocommit=True,
        charset="utf8mb4",
    )
    cursor = link.cursor()
    cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        cursor.execute(f"USE {name}")
        for statement in SCHEMA:
            cursor.execute(statement)
        yield ForeignDatabase(f"{MYSQL_URL}{name}", cursor)
    finally:
        cursor.execute(f"DROP DATABASE {name}")
        link.close()


@pytest.fixture
def foreign(mysql_template) -> Iterator[ForeignDatabase]:
    """Another application's database on MariaDB or MySQL."""
    with _database() as opened:
        yield opened


def test_a_foreign_schema_is_filled_and_its_own_columns_left_alone(sqlite_site, foreign, portal):
    site = sqlite_site
    portal.seed(cities=3, objects=6)
    too_long = portal.add(77, [{"NAME": "A name too long", "PROPERTY_637": "2001"}])[0]
    site.settings["DIRECTORIES_DATABASE_URL"] = foreign.url
    with site.orm():
        portal.configure(CONFIG)

    def read(*words: str) -> dict[str, dict[str, Any]]:
        done = site.manage("sync_directories", "--json", *words)
        assert done.code == 0, done.err
        results = json.loads(done.out)["directories"]
        return {slug: {word: count for word, count in one.items() if count} for slug, one in results.items()}

    first = read()
    assert first["town"] | {"records": []} == {"state": "done", "created": 2, "adopted": 1, "records": []}
    (bad,) = [one for one in first["place"]["records"] if one["outcome"] == "errors"]
    assert (first["place"]["created"], first["place"]["errors"], bad["id"]) == (6, 1, str(too_long))
    assert foreign.rows("SELECT title, bitrix, region FROM app_towns ORDER BY town_no") == [
        ("City 1", 2003, "south"),
        ("Elsewhere", None, "west"),
        ("City 0", 2001, "north"),
        ("City 2", 2005, "north"),
    ]
    where = "FROM app_places JOIN app_towns ON town = town_no"
    assert foreign.rows(f"SELECT `label of place`, title, state, priority {where} ORDER BY id LIMIT 2") == [
        ("Object 0", "City 0", "Действует", 5),
        ("Object 1", "City 1", "Действует", 5),
    ]
    assert {table for (table,) in foreign.rows("SHOW TABLES")} == {"app_places", "app_towns"}, (
        "no table of ours"
    )

    del portal.cities["2003"]
    portal.rename_cities()
    for row in portal.elements(77)[:2]:
        portal.remove(77, row["ID"])
    second = read()
    assert (second["town"]["gone"], second["town"]["unchanged"]) == (1, 2)
    assert (second["place"]["gone"], second["place"]["unchanged"]) == (2, 4)
    assert foreign.rows("SELECT title FROM app_towns WHERE removed = 1") == [("City 1",)]
    assert foreign.rows("SELECT COUNT(*) FROM app_places WHERE lost_at IS NOT NULL") == [(2,)]
    third = read()
    assert third["town"] == {"state": "done", "unchanged": 2}
    assert (third["place"]["unchanged"], third["place"]["errors"]) == (4, 1)


def test_a_column_that_does_not_exist_is_an_error(sqlite_site, foreign, portal):
    portal.seed()
    sqlite_site.settings["DIRECTORIES_DATABASE_URL"] = foreign.url
    with sqlite_site.orm():
        portal.configure(CONFIG)
        Directory.objects.filter(slug="town").update(gone_column="no_such")
    done = sqlite_site.manage("sync_directories", "town")
    assert done.code == 1
    assert "town: the table app_towns has no column no_such. Correct the directory" in done.out
