"""When a cluster counts as deaf: a question to itself stays unanswered and no worker is busy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sync.queue.liveness import ANSWER, QUESTION
from sync.queue.supervisor import Cluster, Patience

PATIENCE = Patience(silence=60, task=120)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """An idle one; what its processes say comes from the test."""
    signs, mouth = os.pipe()
    idle = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    cluster = Cluster(idle, signs)
    cluster.say = lambda signs: (os.write(mouth, signs), cluster.listen(5))  # type: ignore[attr-defined]
    yield cluster
    cluster.kill()
    os.close(mouth)
    assert idle.stdin is not None
    idle.stdin.close()


def let_pass(cluster: Cluster, seconds: float) -> None:
    cluster.seen_at -= seconds
    if cluster.asked_at is not None:
        cluster.asked_at -= seconds


@pytest.mark.parametrize(
    ("signs", "seconds", "told"),
    [
        (QUESTION, 59, ""),
        (QUESTION, 61, "is deaf"),
        (QUESTION + ANSWER, 61, ""),
        (ANSWER + QUESTION, 61, "is deaf"),
        (ANSWER, 61, ""),  # it waits for its database, so it could not ask
        (ANSWER, 181, "has run no task"),
        (QUESTION, 181, "has run no task"),
    ],
)
def test_a_question_that_stays_unanswered(cluster: Cluster, signs: bytes, seconds: float, told: str) -> None:
    cluster.say(signs)  # type: ignore[attr-defined]
    let_pass(cluster, seconds)
    fault = cluster.fault(PATIENCE)
    assert fault.startswith(told)
    assert bool(fault) == bool(told)


def test_the_oldest_question_counts(cluster: Cluster) -> None:
    cluster.say(QUESTION)  # type: ignore[attr-defined]
    let_pass(cluster, 50)
    cluster.say(QUESTION)  # type: ignore[attr-defined]
    let_pass(cluster, 11)
    assert cluster.fault(PATIENCE).startswith("is deaf")
