"""Each benchmark runs at a small size, and what must hold at any size holds. No time is judged here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.benchmarks import (
    directories,
    draining,
    growth,
    hosts,
    intake,
    memory,
    pages,
    peer,
    shares,
    underwork,
    users,
)
from sandbox.benchmarks.ground import Ground, Scale
from sandbox.benchmarks.registry import BENCHMARKS

pytestmark = pytest.mark.journey

MYSQL_URL = os.environ["TEST_MYSQL_URL"]
SMALL = Scale(deals=120, rounds=1, rows=2000, seconds=1, per_minute=600, latency=0.05)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """SQLite, and MariaDB where there is one."""
    return Ground(tmp_path, SMALL, mysql_url=MYSQL_URL)


@pytest.fixture
def sqlite(tmp_path: Path) -> Ground:
    """SQLite alone."""
    return Ground(tmp_path, SMALL)


def figures(findings) -> dict[str, float]:
    return {figure.what: figure.value for figure in findings.figures}


def test_every_benchmark_has_a_test():
    tested = {directories, draining, growth, hosts, intake, memory, pages, peer, shares, underwork, users}
    assert {benchmark.run for benchmark in BENCHMARKS.values()} == {module.run for module in tested}


def test_deals_at_the_limit_use_the_fewest_requests_and_never_one_too_many(sqlite):
    """A little more than the fewest at this size: the first parcels are on their way before the last read."""
    found = draining.run(sqlite)
    assert found.counts["proof"]
    assert found.counts["refused"] == 0
    assert found.counts["requests"] <= found.counts["fewest"] + 4
    assert figures(found)["Obedience: most in a sliding minute ÷ allowed"] <= 1


def test_ours_and_the_peer_do_the_same_work(sqlite):
    found = peer.run(sqlite)
    assert found.counts["unproven"] == 0
    assert len(found.rows) == 4


def test_every_webhook_offered_is_accepted_and_stored(ground):
    found = intake.run(ground)
    assert set(found.counts) == set(ground.engines)
    for counts in found.counts.values():
        assert counts["refused"] == 0
        assert counts["stored"] > 0


def test_every_user_offered_is_stored_with_its_message(sqlite):
    counts = users.run(sqlite).counts["sqlite"]
    assert counts["refused"] == 0
    assert counts["users"] == counts["messages"] == counts["accepted"] > 0


def test_no_webhook_is_lost_while_the_workers_are_busy(ground):
    found = underwork.run(ground)
    for engine in ground.engines:
        assert found.counts[engine] == {"lost": 0, "refused": 0}


def test_a_larger_past_costs_no_query_more(sqlite):
    found = growth.run(sqlite)
    few, many = found.counts["sqlite"]["queries"]
    assert many == pytest.approx(few, rel=0.05)


def test_no_page_counts_a_whole_table(ground):
    found = pages.run(ground)
    for engine in ground.engines:
        assert found.counts[engine]["full_counts"] == 0, found.notes


def test_a_long_directory_is_read_with_the_fewest_requests_and_not_written_twice(ground):
    found = directories.run(ground)
    for engine in ground.engines:
        counts = found.counts[engine]
        assert (counts["created"], counts["unchanged"], counts["errors"]) == (SMALL.rows, SMALL.rows, 0)
        assert counts["requests"] <= 2


def test_memory_is_told_of_worker_and_web(sqlite):
    found = memory.run(sqlite)
    worker, web, *_ = found.figures
    assert 0 < worker.value < 150
    assert 0 < web.value < 150


def test_two_clusters_keep_the_pace_and_make_no_duplicates(ground):
    if "mysql" not in ground.engines:
        pytest.skip(f"no MySQL or MariaDB at {MYSQL_URL}")
    found = hosts.run(ground)
    assert found.counts == {"duplicates": 0, "unproven": 0}
    assert figures(found)["Several hosts: most in a sliding minute ÷ allowed"] <= 1


def test_two_routes_share_a_portal_and_live_deals_go_first(sqlite):
    found = shares.run(sqlite)
    assert found.counts["created"] == {"vinilam-vinipol": 60, "second-vinipol": 60}
    assert found.counts["live"]["arrived"] == 3
