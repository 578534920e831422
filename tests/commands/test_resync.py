"""`manage.py resync`: which records are queued, within which pace, and what is refused."""

import signal
import time
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from sync.models import Job
from tests.commands.conftest import ROUTE, CommandSite, install
from tests.processes import Site

ALL = ("resync", "--route", ROUTE, "--all")


def _seed(pair: CommandSite, count: int, **fields: Any) -> list[int]:
    """Add deals on portal `a`; their IDs."""
    return pair.a.add("deals", *({"TITLE": "Deal", **fields} for _ in range(count)))


def test_named_ones_on_both_engines(site: Site) -> None:
    pair = install(site)
    done = pair.run("resync", "--route", ROUTE, "--ids", "7, 8,7,009")
    assert (done.code, done.out.strip()) == (0, "3 records are queued.")
    jobs = pair.jobs()
    assert [job.source_id for job in jobs] == ["7", "8", "9"]
    assert {(job.state, job.step, job.priority) for job in jobs} == {("waiting", "fetch", Job.BACKFILL)}
    assert all(job.head_of == job.lane for job in jobs)
    assert pair.a.stats()["requests"] == 0, "who names records needs no list"
    pair.a.stop()
    pair.b.stop()


def test_twice_is_once(pair: CommandSite) -> None:
    for _ in range(2):
        assert pair.run("resync", "--route", ROUTE, "--ids", "7,8").code == 0
    assert len(pair.jobs()) == 2


def test_all(pair: CommandSite) -> None:
    ids = _seed(pair, 2600)
    done = pair.run(*ALL)
    assert (done.code, done.out.strip()) == (0, "2600 records are queued."), done.err
    assert sorted(int(job.source_id) for job in pair.jobs()) == ids
    assert pair.a.stats()["requests"] <= 4
    assert f"{ROUTE}: 2600" in done.err, "progress is shown"


def test_since(pair: CommandSite) -> None:
    _seed(pair, 3, DATE_MODIFY="2020-01-01T00:00:00+03:00")
    changed = _seed(pair, 4)
    today = timezone.localdate().isoformat()
    assert pair.run("resync", "--route", ROUTE, "--since", today).code == 0
    assert [int(job.source_id) for job in pair.jobs()] == changed


def test_dry_run_queues_nothing(pair: CommandSite) -> None:
    _seed(pair, 60)
    done = pair.run(*ALL, "--dry-run")
    assert (done.code, done.out.strip()) == (0, "60 records would be queued.")
    assert pair.jobs() == []


def test_pace_is_kept(pair: CommandSite) -> None:
    _seed(pair, 3000)
    pair.change_portal("a", requests_per_minute=60)
    started = time.monotonic()
    assert pair.run(*ALL).code == 0
    arrivals = pair.a.portal.stats.arrivals
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]
    assert len(gaps) >= 2
    assert min(gaps) >= 0.7, f"a request a second, a quarter of it slack: {gaps}"
    assert time.monotonic() - started >= 2


def test_limit_that_the_portal_calls_is_waited_out(pair: CommandSite) -> None:
    _seed(pair, 60)
    pair.a.faults(refuse=1.0, refuse_as="query_limit", count=1)
    done = pair.run(*ALL)
    assert done.code == 0, done.err
    assert len(pair.jobs()) == 60


def test_interruption_leaves_whole_pages(pair: CommandSite) -> None:
    _seed(pair, 3000)
    pair.change_portal("a", requests_per_minute=10)
    running = pair.site.start(*ALL)
    deadline = time.monotonic() + 30
    while not pair.jobs(pk__lt=100) and time.monotonic() < deadline:
        time.sleep(0.2)
    running.child.send_signal(signal.SIGINT)
    assert running.child.wait(20) == 130, running.output()
    count = len(pair.jobs())
    assert 0 < count < 3000
    assert f"Interrupted. {count} records are queued." in running.output()
    pair.change_portal("a", requests_per_minute=6000)
    assert pair.run(*ALL).code == 0, "it can be started again"
    assert len(pair.jobs()) == 3000


def test_wrong_key_ends_the_command(pair: CommandSite) -> None:
    pair.change_portal("a", webhook_url=pair.a.url.replace("demo0code", "wrongc0de"))
    done = pair.run(*ALL)
    assert done.code == 1
    assert "webhook" in done.err
    assert "wrongc0de" not in done.out + done.err
    assert "Traceback" not in done.err


def test_paused_portal_is_not_asked(pair: CommandSite) -> None:
    pair.change_portal("a", is_paused=True)
    done = pair.run(*ALL)
    assert done.code == 1
    assert "Portal a is paused" in done.err
    assert pair.a.stats()["requests"] == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--ids", "1,x"), "IDs are numbers"),
        (("--ids", ""), "IDs are numbers"),
        (("--ids", "-5"), "IDs are numbers"),
        (("--ids", "9" * 30), "IDs are numbers"),
        (("--since", "yesterday"), "is not a date"),
        (("--since", "2026-02-31"), "is not a date"),
        (("--since", "2999-01-01"), "lies in the future"),
        ((), "required"),
        (("--all", "--ids", "1"), "not allowed with"),
    ],
)
def test_bad_input_is_refused(pair: CommandSite, words: tuple[str, ...], error: str) -> None:
    given = [f"{words[0]}={words[1]}"] if len(words) == 2 else list(words)
    done = pair.run("resync", "--route", ROUTE, *given)
    assert done.code != 0
    assert error in done.err
    assert "Traceback" not in done.err
    assert pair.jobs() == []


def test_unknown_route_is_refused_with_those_there_are(pair: CommandSite) -> None:
    done = pair.run("resync", "--route", "nobody", "--ids", "1")
    assert done.code == 1
    assert "There are: a-b." in done.err
