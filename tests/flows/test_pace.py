"""The pace as a portal sees it: never more requests in a minute than allowed, however late they arrive."""

from __future__ import annotations

import random
from bisect import bisect_left

import pytest

from sync.models import Pace, Portal
from sync.policies.rate_limit import ON_THE_WAY

START = 1_000_000.0
PER_MINUTE = 60


def most_in_a_minute(arrivals: list[float]) -> int:
    """The most arrivals within any sixty seconds."""
    arrivals = sorted(arrivals)
    return max(index + 1 - bisect_left(arrivals, moment - 60) for index, moment in enumerate(arrivals))


@pytest.mark.django_db
@pytest.mark.parametrize("slowest", [0.0, ON_THE_WAY, 3.0])
def test_no_minute_holds_more_than_allowed(slowest: float) -> None:
    """Requests arrive up to `slowest` seconds after their permit, which a busy worker asks for late."""
    portal = Portal.objects.create(
        slug="a", name="a", webhook_url="http://127.0.0.1/rest/1/c/", requests_per_minute=PER_MINUTE
    )
    pace, chance = Pace.of(portal), random.Random(7)
    arrivals: list[float] = []
    in_flight: list[float] = []
    now = START
    while now < START + 200:
        for late in [moment for moment in in_flight if moment <= now]:
            in_flight.remove(late)
            pace.count_late_one(portal.limits, now=late)
        permit = pace.permit(portal.limits, now=now)
        if permit.is_granted:
            delay = slowest if chance.random() < 0.1 else chance.random() * min(slowest, ON_THE_WAY)
            arrivals.append(now + delay)
            if delay > ON_THE_WAY:
                in_flight.append(now + delay)
        now += max(0.3 if chance.random() < 0.05 else 0.04, permit.wait)
    assert most_in_a_minute(arrivals) <= PER_MINUTE
    assert len(arrivals) > 0.8 * PER_MINUTE * 200 / 60
