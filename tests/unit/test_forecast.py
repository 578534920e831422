"""The forecast: requests still needed, divided by pace. Pure."""

import pytest

from sync.flows.deals import FLOW
from sync.models import Route
from sync.status.forecast import Forecast, Rate, Work, forecast, portal_loads, slowest

PORTALS = {"source": "a", "target": "b"}
RATES = {"a": Rate(interval=3.0), "b": Rate(interval=6.0)}


def _route(**options: object) -> Route:
    """A route of deals, not stored, that reports comment and stage back."""
    return Route(options={"comment": "Deal {target_id}", "stage": "C2:X", **options})


def _work(count: int, *, step: str = "fetch", route: str = "r", idle: float = 0.0) -> Work:
    """`count` jobs at that step."""
    path = tuple(FLOW.steps[name] for name in FLOW.usual_path(_route(), step))
    return Work(route, path, count, portals=PORTALS, idle=idle)


def _seconds(works: list[Work], rates: dict[str, Rate] = RATES, *, route: str = "r") -> float | None:
    """The forecast of a route."""
    return forecast(route, works, portal_loads(works, rates), rates).seconds


def test_every_usual_step_is_a_step_of_the_flow() -> None:
    named = {*FLOW.usual_next, *FLOW.usual_next.values(), *FLOW.first.values()}
    assert named <= set(FLOW.steps)


@pytest.mark.parametrize(
    ("route", "path"),
    [
        (_route(), "fetch create announce"),
        (_route(comment=""), "fetch create stage"),
        (_route(stage=""), "fetch create comment"),
        (_route(comment="", stage=""), "fetch create"),
        (_route(carry={"products": True}), "fetch products create announce"),
        (_route(nonsense=1), "fetch create announce"),
    ],
)
def test_path_of_a_new_deal(route: Route, path: str) -> None:
    assert FLOW.usual_path(route, "fetch") == tuple(path.split())


def test_nothing_waits() -> None:
    assert _seconds([]) == 0


def test_the_slower_portal_decides() -> None:
    # a: 4 fetch, 400 comment and stage of 25 each; b: 200 creates
    assert _seconds([_work(10_000)]) == max(403 * 3.0, 199 * 6.0) + 1


def test_one_job_needs_one_request_a_step() -> None:
    loads = portal_loads([_work(1)], RATES)
    assert (loads["a"].requests(), loads["b"].requests()) == (2, 1)


def test_what_waits_for_the_portal_comes_on_top() -> None:
    rates = {**RATES, "a": Rate(interval=3.0, wait=40.0)}
    assert _seconds([_work(1, step="stage")], rates) == 41.0


def test_halved_parcels_need_more_requests() -> None:
    rates = {**RATES, "b": Rate(interval=6.0, shrunk=2)}
    assert portal_loads([_work(100, step="create")], rates)["b"].requests() == 9  # 12 a parcel


def test_blocked_method_holds_only_who_needs_it() -> None:
    rates = {**RATES, "b": Rate(interval=6.0, blocked={"crm.item.add": 500.0})}
    assert _seconds([_work(1, step="create")], rates) == 500.0
    assert _seconds([_work(1, step="stage")], rates) == 1.0


def test_obstacle_ends_the_forecast_of_who_meets_it() -> None:
    rates = {**RATES, "b": Rate(interval=6.0, obstacle="b is away")}
    works = [_work(1)]
    assert forecast("r", works, portal_loads(works, rates), rates) == Forecast(None, "b is away")
    assert _seconds([_work(1, step="comment")], rates) == 4.0


def test_small_route_does_not_wait_for_the_whole_of_a_large_one() -> None:
    works = [_work(10_000, step="stage", route="large"), _work(50, step="stage", route="small")]
    assert _seconds(works, route="small") == 4.0
    assert _seconds(works, route="large") == 200 * 3.0 + 1


def test_last_due_time() -> None:
    assert _seconds([_work(1, step="stage", idle=90.0)]) == 90.0


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], Forecast(0.0)),
        ([Forecast(5.0), Forecast(9.0)], Forecast(9.0)),
        ([Forecast(5.0), Forecast(None, "away")], Forecast(None, "away")),
    ],
)
def test_all_routes_together(parts: list[Forecast], whole: Forecast) -> None:
    assert slowest(parts) == whole
