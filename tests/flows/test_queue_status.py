"""The queue in numbers, while workers are at it."""

from __future__ import annotations

import pytest

from sync import inbox
from sync.status import queue as status_queue
from sync.status import queue_status


@pytest.mark.parametrize("first", ["jobs_by_route", "unsorted_events"])
def test_an_event_that_becomes_a_job_meanwhile_is_not_left_out(pair, monkeypatch, first):
    """Whoever waits until nothing waits would go away too early."""
    [deal_id] = pair.seed(1)
    pair.webhook(deal_id)
    read = getattr(status_queue.queries, first)

    def read_and_sort(*given):
        found = read(*given)
        inbox.sort(pair.from_portal)
        return found

    monkeypatch.setattr(status_queue.queries, first, read_and_sort)
    assert queue_status().counts.jobs["waiting"] >= 1
