"""What the next request holds: the most urgent step, and even shares of the routes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.engine.scheduler import Selection, select, share_out
from sync.models import Due, Job

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIVE, BACKFILL = Job.LIVE, Job.BACKFILL


def due(step: str, route: int = 1, *, flow: str = "deals", priority: int = LIVE, age: int = 0) -> Due:
    """Jobs of a route that are due at a step for so many seconds."""
    since = NOON - timedelta(seconds=age)
    return Due(flow=flow, route_id=route, step=step, priority=priority, since=since)


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ([], None),
        ([due("fetch")], ("fetch", (1,))),
        # what has waited longest
        ([due("fetch", age=5), due("create", age=9)], ("create", (1,))),
        # live work before backfill, however long that has waited
        ([due("fetch", age=0), due("create", priority=BACKFILL, age=999)], ("fetch", (1,))),
        # all routes with jobs at that step go along, the most urgent first
        ([due("fetch", 1, age=1), due("fetch", 2, age=7), due("create", 3, age=2)], ("fetch", (2, 1))),
        # … live and backfill of one route are one
        ([due("fetch", 1, age=1), due("fetch", 1, priority=BACKFILL, age=9)], ("fetch", (1,))),
        # a step that others wait for goes before what has waited longer
        ([due("find_lead", flow="leads", age=9), due("crm_mode", flow="leads", age=1)], ("crm_mode", (1,))),
        # … but not before live work when it is backfill itself
        (
            [
                due("find_lead", flow="leads", age=1),
                due("crm_mode", flow="leads", age=9, priority=BACKFILL),
            ],
            ("find_lead", (1,)),
        ),
        # steps of the same name in two flows are two
        ([due("fetch", 1, age=3), due("find_lead", 2, flow="leads", age=1)], ("fetch", (1,))),
    ],
)
def test_the_most_urgent_step_is_selected(waiting, expected) -> None:
    selected = select(waiting)
    assert (selected and (selected.step, selected.routes)) == expected


def test_a_selection_names_its_flow() -> None:
    assert select([due("crm_mode", flow="leads")]) == Selection(flow="leads", step="crm_mode", routes=(1,))


@pytest.mark.parametrize(
    ("routes", "room", "shares"),
    [
        ((1,), 50, {1: 50}),
        ((1, 2), 50, {1: 25, 2: 25}),
        ((3, 1, 2), 50, {3: 18, 1: 16, 2: 16}),  # the rest goes to the most urgent
        ((3, 1, 2), 2, {3: 1, 1: 1}),  # too little for all: the most urgent ones
        ((3, 1, 2), 3, {3: 1, 1: 1, 2: 1}),
        ((5, 4), 1, {5: 1}),
    ],
)
def test_routes_share_a_request_evenly(routes, room, shares) -> None:
    found = share_out(routes, room)
    assert found == shares
    assert sum(found.values()) <= room
