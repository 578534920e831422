"""Workers that die, a queue that is emptied, a cluster gone deaf: all is delivered without a person."""

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

pytestmark = pytest.mark.journey


def family(play) -> list[psutil.Process]:
    """The worker's processes, itself first."""
    with contextlib.suppress(psutil.NoSuchProcess):
        main = psutil.Process(play.worker.child.pid)
        return [main, *main.children(recursive=True)]
    return []


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGKILL)


def arrived(play) -> int:
    return len(play.target.deals())


@pytest.mark.timeout(400)
def test_ten_kills_lose_and_double_nothing(stage):
    play = stage(request_seconds=1)
    for stand in (play.source, play.target):
        stand.post("limits", {"latency": 0.3})
    play.listen()
    ids = play.seed(500)
    chance = random.Random(11)
    for number in range(10):
        time.sleep(1.5)
        if number % 2:
            kill(family(play))  # the whole cluster, as a power cut would
            play.worker.child.wait()
            play.worker.restart()  # as systemd does
        else:
            kill(chance.sample(some := family(play)[1:], min(1, len(some))))
    counts = play.wait_until_idle(seconds=240, arrivals=500)
    proof = prove(play, ids)
    assert proof.holds, (str(proof), counts, play.failures()[:3])
    assert counts["jobs"]["failed"] == 0


def test_an_emptied_queue_loses_nothing(stage):
    play = stage()
    play.target.post("limits", {"latency": 0.2})
    play.listen()
    ids = play.seed(300)
    for _ in range(5):
        time.sleep(0.5)
        with play.site.orm():
            OrmQ.objects.all().delete()
    play.wait_until_idle(seconds=150, arrivals=300)
    assert prove(play, ids).holds


def test_a_deaf_cluster_is_found_and_restarted(stage):
    play = stage(settings={"WORKERS": "1"})
    play.listen()
    first = play.seed(5)
    play.wait_until_idle(seconds=60, arrivals=5)
    # killing the idle worker leaves the queue's lock held: all processes live on and nothing runs
    for _ in range(3):
        idle = [one for one in family(play) if "idle" in " ".join(one.cmdline())]
        kill(idle)
        time.sleep(2)
    second = play.seed(50)
    wait_until(lambda: arrived(play) >= 55, seconds=90, what=play.worker.output)
    play.wait_until_idle(seconds=60)
    assert prove(play, first + second).holds
