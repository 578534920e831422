"""Where a benchmark runs: how large it is, on which database engine, in which folder."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environ
import MySQLdb  # type: ignore[import-untyped]

ENGINES = ("sqlite", "mysql")


@dataclass(frozen=True)
class Scale:
    """How large. `deals` and `rounds`: of a run; `rows`: ended jobs in the table; `seconds`: of load;
    `per_minute`: the pace of portals that have one; `latency`: seconds a slow portal adds to each request.
    """

    deals: int = 10_000
    rounds: int = 3
    rows: int = 1_000_000
    seconds: float = 8.0
    per_minute: int = 240
    latency: float = 0.2


@dataclass
class Context:
    """Scratch databases and folders; `mysql_url` is a server where we may create databases ("" = none)."""

    folder: Path
    scale: Scale = field(default_factory=Scale)
    engine: str = "sqlite"
    mysql_url: str = ""
    say: Callable[[str], None] = lambda _: None
    _taken: int = 0

    def new_folder(self) -> Path:
        """An empty folder of our own."""
        self._taken += 1
        folder = self.folder / str(self._taken)
        folder.mkdir(parents=True)
        return folder

    @property
    def engines(self) -> list[str]:
        """The engines at hand."""
        return ["sqlite", "mysql"] if self.mysql_url and _answers(self.mysql_url) else ["sqlite"]

    @contextmanager
    def database(self, engine: str = "") -> Iterator[str]:
        """The URL of an empty database, gone afterwards."""
        if (engine or self.engine) == "sqlite":
            yield f"sqlite:///{self.new_folder() / 'bench.sqlite3'}"
            return
        name = f"b24_bench_{uuid.uuid4().hex[:12]}"
        _execute(self.mysql_url, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield f"{self.mysql_url.rstrip('/')}/{name}"
        finally:
            _execute(self.mysql_url, f"DROP DATABASE {name}")


def version_of(url: str) -> str:
    """What the server says it is."""
    return str(_execute(url, "SELECT VERSION()")[0][0])


def _answers(url: str) -> bool:
    try:
        _execute(url, "SELECT 1")
    except MySQLdb.Error:
        return False
    return True


def _execute(url: str, statement: str) -> Any:
    config = environ.Env.db_url_config(url)  # type: ignore[no-untyped-call]
    link = MySQLdb.connect(
        host=config["HOST"],
        port=int(config["PORT"] or 3306),
        user=config["USER"],
        password=config["PASSWORD"],
        autocommit=True,
    )
    try:
        cursor = link.cursor()
        cursor.execute(statement)
        return cursor.fetchall()
    finally:
        link.close()
