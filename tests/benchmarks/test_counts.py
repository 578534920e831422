"""Each benchmark runs at a small size, and what must hold at any size holds. No time is checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.benchmarks import (
    directories,
    drain,
    growth,
    hosts,
    installations,
    intake,
    memory,
    pages,
    peer,
    shares,
    underwork,
    users,
)
from sandbox.benchmarks.context import Context, Scale
from sandbox.benchmarks.registry import BENCHMARKS
from sandbox.demo import Installation, installation
from sync.engine import scheduler
from tests.databases import mysql_copy, sqlite_copy
from tests.portals import LocalPortal
from tests.processes import Site

pytestmark = pytest.mark.journey

SMALL = Scale(deals=60, rounds=1, rows=2000, seconds=0.5, per_minute=600, latency=0.02)


@dataclass
class OneEngine(Context):
    """Databases of `engine` alone, each a copy of a migrated one."""

    copy: Callable[[Any, Path], AbstractContextManager[str]] = sqlite_copy
    template: Any = None

    @property
    def engines(self) -> list[str]:
        """The one."""
        return [self.engine]

    @contextmanager
    def database(self, engine: str = "") -> Iterator[str]:
        """The URL of a migrated database."""
        assert engine in ("", self.engine)
        with self.copy(self.template, self.new_folder()) as url:
            yield url


@pytest.fixture(autouse=True)
def few_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    """Only web and workers are processes of their own: each takes a second to start."""
    portals: list[LocalPortal] = []

    def manage(*words: str, environment: Mapping[str, str], seconds: float = 0) -> str:
        done = Site(tmp_path, environment["DATABASE_URL"], blocker=django_db_blocker).call(*words)
        assert done.code == 0, done.out + done.err
        return done.out

    def open_portal(self: Installation, name: str) -> LocalPortal:
        portals.append(LocalPortal.with_options(self.emulator))
        return portals[-1]

    for module in (directories, growth, installations, installation):
        monkeypatch.setattr(module, "run_manage", manage)
    monkeypatch.setattr(Installation, "open_portal", open_portal)
    monkeypatch.setenv("WEB_CONCURRENCY", "1")
    yield
    for portal in portals:
        portal.stop()


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_template: Path) -> Context:
    """SQLite alone."""
    return OneEngine(tmp_path, SMALL, engine="sqlite", template=sqlite_template)


@pytest.fixture
def mysql(tmp_path: Path, mysql_template: str) -> Context:
    """MariaDB or MySQL alone."""
    return OneEngine(tmp_path, SMALL, engine="mysql", copy=mysql_copy, template=mysql_template)


def figures(findings) -> dict[str, float]:
    return {figure.what: figure.value for figure in findings.figures}


def test_every_benchmark_has_a_test():
    tested = {directories, drain, growth, hosts, intake, memory, pages, peer, shares, underwork, users}
    assert {benchmark.run for benchmark in BENCHMARKS.values()} == {module.run for module in tested}


def test_deals_at_the_limit_use_the_fewest_requests_and_never_one_too_many(sqlite):
    """A little more than the fewest at this size: the first parcels are on their way before the last read."""
    found = drain.run(sqlite)
    assert found.counts["proof"]
    assert found.counts["refused"] == 0
    assert found.counts["requests"] <= found.counts["fewest"] + 4
    assert figures(found)["Obedience: most in a sliding minute ÷ allowed"] <= 1


def test_ours_and_the_peer_do_the_same_work(sqlite, monkeypatch):
    """In one of the settings: each would be a whole installation more."""
    setting = peer.settings_of(SMALL)[-1]
    monkeypatch.setattr(peer, "settings_of", lambda scale: [setting])
    found = peer.run(sqlite)
    assert found.counts["unproven"] == 0
    assert len(found.rows) == 2


def test_every_webhook_offered_is_accepted_and_stored(mysql):
    counts = intake.run(mysql).counts["mysql"]
    assert counts["refused"] == 0
    assert counts["stored"] > 0


def test_every_user_offered_is_stored_with_its_message(sqlite):
    counts = users.run(sqlite).counts["sqlite"]
    assert counts["refused"] == 0
    assert counts["users"] == counts["messages"] == counts["accepted"] > 0


def test_no_webhook_is_lost_while_the_workers_are_busy(sqlite):
    assert underwork.run(sqlite).counts["sqlite"] == {"lost": 0, "refused": 0}


def test_a_larger_past_costs_no_query_more(sqlite, monkeypatch):
    monkeypatch.setattr(scheduler, "LOOK_EVERY", 60)  # by time, a slow machine would look more often
    found = growth.run(sqlite)
    few, many = found.counts["sqlite"]["queries"]
    assert many == pytest.approx(few, rel=0.05)


def test_no_page_counts_a_whole_table(mysql):
    found = pages.run(mysql)
    assert found.counts["mysql"]["full_counts"] == 0, found.notes


def test_a_long_directory_is_read_with_the_fewest_requests_and_not_written_twice(mysql):
    counts = directories.run(mysql).counts["mysql"]
    assert (counts["created"], counts["unchanged"], counts["errors"]) == (SMALL.rows, SMALL.rows, 0)
    assert counts["requests"] <= 2


def test_memory_is_told_of_worker_and_web(sqlite):
    found = memory.run(sqlite)
    worker, web, *_ = found.figures
    assert 0 < worker.value < 150
    assert 0 < web.value < 150


def test_two_clusters_keep_the_pace_and_make_no_duplicates(mysql):
    found = hosts.run(mysql)
    assert found.counts == {"duplicates": 0, "unproven": 0}
    assert figures(found)["Several hosts: most in a sliding minute ÷ allowed"] <= 1


def test_two_routes_share_a_portal_and_live_deals_go_first(sqlite):
    found = shares.run(sqlite)
    assert found.counts["created"] == {"vinilam-vinipol": 30, "second-vinipol": 30}
    assert found.counts["live"]["arrived"] == 3
