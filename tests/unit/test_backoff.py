"""The pause before the next try: doubled with each failure, never longer than what the caller allows."""

from __future__ import annotations

import pytest

from sync.policies.backoff import backoff
from sync.policies.rate_limit import BREAKER_OPENS_AFTER, probe_wait


@pytest.mark.parametrize(
    ("failures", "first", "longest", "seconds"),
    [
        (0, 1.0, 30.0, 0.5),  # it worked for a while
        (1, 1.0, 30.0, 1.0),
        (2, 1.0, 30.0, 2.0),
        (5, 1.0, 30.0, 16.0),
        (6, 1.0, 30.0, 30.0),
        (1, 2.0, 60.0, 2.0),
        (4, 2.0, 60.0, 16.0),
        (1, 90.0, 60.0, 60.0),
        (100_000, 1.0, 60.0, 60.0),  # no overflow
    ],
)
def test_each_failure_doubles_the_pause(failures, first, longest, seconds):
    assert backoff(failures, first=first, longest=longest) == seconds


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        (0, 5),
        (BREAKER_OPENS_AFTER, 5),
        (BREAKER_OPENS_AFTER + 1, 10),
        (BREAKER_OPENS_AFTER + 6, 300),
        (99, 300),
    ],
)
def test_a_portal_that_stays_away_is_probed_more_and_more_rarely(failures, seconds):
    assert probe_wait(failures) == seconds
