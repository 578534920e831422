"""The watched worker, with real processes: whichever is killed, the cluster comes back and none is left."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from sandbox.demo.processes import Process, free_port, wait_until
from sync.models import Heartbeat
from tests.processes import Site
from tests.rabbitmq import gate_to

pytestmark = pytest.mark.journey

WATCHDOG = 4
SECONDS = 60


@pytest.fixture
def worker(sqlite_site: Site) -> Process:
    """`manage.py qcluster` with one worker process and a short watchdog time, as soon as it runs tasks."""
    process = sqlite_site.start("qcluster", WORKERS="1", WATCHDOG_SECONDS=str(WATCHDOG))
    wait_for(lambda: has_beaten_since(sqlite_site, 0.0), process)
    return process


def wait_for(is_true: Callable[[], bool], process: Process, *, seconds: float = SECONDS) -> None:
    """Wait until `is_true`; otherwise fail with the log of the process."""
    wait_until(is_true, seconds=seconds, what=process.output)


def has_beaten_since(site: Site, moment: float) -> bool:
    """Whether a worker has reported a heartbeat after the Unix time `moment`."""
    with site.orm():
        return any(beat.seen_at.timestamp() > moment for beat in Heartbeat.objects.all())


def parents() -> dict[int, int]:
    """PID → PID of the parent, of every process that is no zombie."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _, _, rest = stat.read_text().rpartition(")")
            state, parent = rest.split()[:2]
            if state != "Z":
                found[int(stat.parent.name)] = int(parent)
    return found


def title(pid: int) -> str:
    """The command line of a process; django-q2 writes its state there."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def children(pid: int) -> list[int]:
    """PIDs of the direct children of a process."""
    return [child for child, parent in parents().items() if parent == pid]


def pids_by_role(process: Process) -> dict[str, int]:
    """Role → PID: supervisor, main, sentinel, and the sentinel's worker, monitor and pusher."""
    (main,) = children(process.child.pid)
    (sentinel,) = children(main)
    helpers = {title(pid).split()[2]: pid for pid in children(sentinel)}
    roles = {"idle": "worker", "processing": "worker"}
    named = {roles.get(word, word): pid for word, pid in helpers.items()}
    return {"supervisor": process.child.pid, "main": main, "sentinel": sentinel, **named}


def is_gone(pids: list[int]) -> bool:
    """Whether none of these processes runs."""
    return not set(pids) & set(parents())


@pytest.mark.parametrize("role", ["main", "sentinel", "pusher", "monitor", "worker"])
def test_a_cluster_survives_the_kill_of_any_of_its_processes(
    sqlite_site: Site, worker: Process, role: str
) -> None:
    """SIGKILL of the idle worker leaves a deaf cluster: all are alive, but no task runs."""
    before = pids_by_role(worker)
    os.kill(before[role], signal.SIGKILL)
    killed_at = time.time()
    time.sleep(WATCHDOG + 1)  # a task that was running may still end
    wait_for(lambda: has_beaten_since(sqlite_site, killed_at + WATCHDOG), worker)
    assert worker.child.poll() is None
    after = pids_by_role(worker)
    assert set(after) == set(before)
    assert after["supervisor"] == before["supervisor"]
    if role in {"main", "sentinel", "worker"}:
        assert is_gone([pid for name, pid in before.items() if name != "supervisor"])
        assert "it is started again" in worker.output()


def test_no_process_outlives_a_killed_supervisor(worker: Process) -> None:
    pids = pids_by_role(worker)
    os.kill(worker.child.pid, signal.SIGKILL)
    worker.child.wait()
    wait_for(lambda: is_gone(list(pids.values())), worker, seconds=5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_is_graceful_and_complete(worker: Process, number: int) -> None:
    pids = pids_by_role(worker)
    os.kill(worker.child.pid, number)
    assert worker.child.wait(timeout=30) == 0
    assert is_gone(list(pids.values()))
    assert "killed" not in worker.output()


def test_a_stop_sent_to_every_process_at_once_ends_too(worker: Process) -> None:
    """As systemd's KillMode=control-group does. django-q2 alone hangs; asked twice, the supervisor kills."""
    pids = pids_by_role(worker)
    for pid in reversed(pids.values()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    time.sleep(2)
    if worker.child.poll() is None:
        worker.child.send_signal(signal.SIGTERM)
    assert worker.child.wait(timeout=10) == 0
    assert is_gone(list(pids.values()))


@contextmanager
def write_lock(site: Site) -> Iterator[None]:
    """Nobody else can write."""
    path = site.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


def is_never_restarted(site: Site, worker: Process, before: dict[str, int]) -> None:
    released_at = time.time()
    wait_for(lambda: has_beaten_since(site, released_at), worker)
    assert pids_by_role(worker)["main"] == before["main"]
    assert "it is started again" not in worker.output()


def test_a_busy_cluster_is_not_taken_for_a_deaf_one(sqlite_site: Site, worker: Process) -> None:
    """Its only worker waits for the database's write lock, three times as long as the watchdog's patience."""
    before = pids_by_role(worker)
    with write_lock(sqlite_site):
        time.sleep(WATCHDOG * 3)
    is_never_restarted(sqlite_site, worker, before)


def test_a_cluster_that_cannot_pull_messages_is_not_taken_for_a_deaf_one(
    sqlite_site: Site, worker: Process
) -> None:
    """Its worker is idle: the pusher waits for the write lock with a message in its hands."""
    before = pids_by_role(worker)
    task = {"id": "1", "name": "nothing", "func": "builtins.len", "args": ((),), "kwargs": {}}
    message = {"key": "bus", "payload": SignedPackage.dumps({**task, "started": timezone.now()})}
    with sqlite_site.orm():
        OrmQ.objects.bulk_create([OrmQ(**message, lock=timezone.now()) for _ in range(1000)])
    with write_lock(sqlite_site):
        time.sleep(WATCHDOG * 3)
        with sqlite_site.orm():
            assert OrmQ.objects.exists(), "the pusher was quicker than the lock"
    is_never_restarted(sqlite_site, worker, before)


def test_a_database_that_is_away_is_no_reason_to_restart(mysql_site: Site) -> None:
    gate, relayed = gate_to(mysql_site.database_url)
    worker = mysql_site.start("qcluster", WORKERS="1", WATCHDOG_SECONDS=str(WATCHDOG), DATABASE_URL=relayed)
    wait_for(lambda: has_beaten_since(mysql_site, 0.0), worker)
    before = pids_by_role(worker)
    gate.shut()
    wait_for(lambda: "The database does not answer" in worker.output(), worker)
    time.sleep(WATCHDOG * 3)
    gate.open()
    opened_at = time.time()
    wait_for(lambda: has_beaten_since(mysql_site, opened_at), worker)
    wait_for(lambda: "The database answers again" in worker.output(), worker)
    assert pids_by_role(worker) == before
    assert "it is started again" not in worker.output()
    worker.stop()
    gate.shut()


def test_a_cluster_that_cannot_start_is_tried_again(sqlite_site: Site) -> None:
    nobody = f"mysql://root@127.0.0.1:{free_port()}/nothing"
    worker = sqlite_site.start("qcluster", DATABASE_URL=nobody)
    wait_for(lambda: worker.output().count("started again") > 1, worker)
    assert "it is started again in 1 s" in worker.output()
    assert "it is started again in 2 s" in worker.output()


def test_a_cluster_told_to_run_once_is_not_watched(sqlite_site: Site) -> None:
    done = sqlite_site.manage("qcluster", "--run-once")
    assert done.code == 0, done.err
