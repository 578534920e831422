"""Workers that die, a queue that is emptied, a deaf cluster: all is delivered without staff."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

import psutil
import pytest
from django_q.models import OrmQ

from sandbox.demo import prove, wait_until
from tests.journeys.conftest import on_mysql, on_sqlite

pytestmark = pytest.mark.journey


def worker_processes(rig) -> list[psutil.Process]:
    """The processes of the worker cluster, the supervisor first."""
    with contextlib.suppress(psutil.NoSuchProcess):
        main = psutil.Process(rig.worker.child.pid)
        return [main, *main.children(recursive=True)]
    return []


def kill(processes: list[psutil.Process]) -> None:
    """Send SIGKILL to each."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGKILL)


def count_delivered(rig) -> int:
    """The number of deals on the target."""
    return len(rig.target.deals())


@pytest.mark.timeout(400)
def test_ten_kills_lose_and_double_nothing(start_rig):
    rig = start_rig(request_seconds=1)
    for portal in (rig.source, rig.target):
        portal.post("limits", {"latency": 0.3})
    rig.listen()
    ids = rig.seed(300)
    chance = random.Random(11)
    for number in range(10):
        time.sleep(1.5)
        if number % 2:
            kill(worker_processes(rig))  # the whole cluster, as a power cut would
            rig.worker.child.wait()
            rig.worker.restart()  # as systemd does
        else:
            kill(chance.sample(some := worker_processes(rig)[1:], min(1, len(some))))
    counts = rig.wait_until_idle(seconds=240, arrivals=300)
    proof = prove(rig, ids)
    assert proof.holds, (str(proof), counts, rig.failures()[:3])
    assert counts["jobs"]["failed"] == 0


@on_mysql
def test_an_emptied_queue_loses_nothing(start_rig):
    rig = start_rig()
    rig.target.post("limits", {"latency": 0.2})
    rig.listen()
    ids = rig.seed(300)
    for _ in range(5):
        time.sleep(0.5)
        with rig.site.orm():
            OrmQ.objects.all().delete()
    rig.wait_until_idle(seconds=150, arrivals=300)
    assert prove(rig, ids).holds


@on_sqlite
def test_a_deaf_cluster_is_found_and_restarted(start_rig):
    rig = start_rig(settings={"WORKERS": "1"})
    rig.listen()
    first = rig.seed(5)
    rig.wait_until_idle(seconds=60, arrivals=5)
    # killing the idle worker leaves the queue's lock held: all processes live on and nothing runs
    for _ in range(3):
        idle = [one for one in worker_processes(rig) if "idle" in " ".join(one.cmdline())]
        kill(idle)
        time.sleep(2)
    second = rig.seed(50)
    wait_until(lambda: count_delivered(rig) >= 55, seconds=90, what=rig.worker.output)
    rig.wait_until_idle(seconds=60)
    assert prove(rig, first + second).holds
