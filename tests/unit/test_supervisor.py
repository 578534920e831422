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
    signs, writing = os.pipe()
    idle = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    cluster = Cluster(idle, signs)
    cluster.say = lambda signs: (os.write(writing, signs), cluster.listen(5))  # type: ignore[attr-defined]
    yield cluster
    cluster.kill()
    os.close(writing)
    assert idle.stdin is not None
    idle.stdin.close()


def let_pass(cluster: Cluster, seconds: float) -> None:
    cluster.seen_at -= seconds
    cluster.busy_at -= seconds
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


def test_a_worker_that_was_busy_takes_up_the_question_in_a_moment(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that waited long for a locked database has just failed; the question still stands behind it."""
    cluster.say(QUESTION)  # type: ignore[attr-defined]
    monkeypatch.setattr(cluster, "is_at_work", lambda: True)
    let_pass(cluster, 61)
    assert cluster.fault(PATIENCE) == ""
    monkeypatch.setattr(cluster, "is_at_work", lambda: False)
    let_pass(cluster, 1)
    assert cluster.fault(PATIENCE) == ""
    let_pass(cluster, 61)
    assert cluster.fault(PATIENCE).startswith("is deaf")


def test_the_oldest_question_counts(cluster: Cluster) -> None:
    cluster.say(QUESTION)  # type: ignore[attr-defined]
    let_pass(cluster, 50)
    cluster.say(QUESTION)  # type: ignore[attr-defined]
    let_pass(cluster, 11)
    assert cluster.fault(PATIENCE).startswith("is deaf")
