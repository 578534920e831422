"""How often, and how long."""

import pytest


@pytest.fixture
def clock():
    return [1_700_000_000.0]


def test_the_bucket_overflows_and_leaks(make, clock):
    call = make(bucket=(5, 2), clock=lambda: clock[0])
    assert [call.whole("server.time").get("error") for _ in range(7)] == [None] * 5 + [
        "QUERY_LIMIT_EXCEEDED"
    ] * 2
    assert call.status == 503
    clock[0] += 1
    assert [call.whole("server.time").get("error") for _ in range(3)] == [None, None, "QUERY_LIMIT_EXCEEDED"]
    assert call.look("stats")["limit_errors"] == 3


def test_a_refused_request_does_nothing(make, clock):
    call = make(bucket=(1, 1), clock=lambda: clock[0])
    for _ in range(3):
        call.whole("crm.deal.add", fields={})
    assert len(call.emulator.deals()) == 1


def test_a_batch_is_one_request(make, clock):
    call = make(bucket=(2, 1), clock=lambda: clock[0])
    assert len(call.batch({f"c{n}": "server.time" for n in range(50)})["result"]) == 50
    call("server.time")
    assert call.error("server.time") == (503, "QUERY_LIMIT_EXCEEDED")


def test_operating_time_is_counted_by_method(make, clock):
    call = make(operating_limit=10, operating_seconds={"crm.deal.add": 4}, clock=lambda: clock[0])
    spent = [call.whole("crm.deal.add", fields={})["time"]["operating"] for _ in range(3)]
    assert spent == [4, 8, 12], "the call that crosses the line is completed"
    assert call.error("crm.deal.add", fields={}) == (429, "OPERATION_TIME_LIMIT")
    assert call("crm.deal.list", select=["ID"])
    assert call.whole("crm.item.get", entityTypeId=2, id=1)["time"]["operating"] == 0


def test_operating_time_comes_back_minute_by_minute(make, clock):
    call = make(operating_limit=5, operating_seconds=4, clock=lambda: clock[0])
    first = call.whole("server.time")["time"]
    assert first["operating_reset_at"] == clock[0] + 600
    clock[0] += 300
    call("server.time")
    assert call.error("server.time") == (429, "OPERATION_TIME_LIMIT")
    clock[0] += 300
    assert call.whole("server.time")["time"]["operating"] == 8, "the oldest minute dropped out"
    clock[0] += 299
    assert call.error("server.time")[0] == 429
    clock[0] += 1
    assert call.whole("server.time")["time"]["operating"] == 8


def test_short_calls_are_free(make, clock):
    call = make(operating_limit=1, operating_seconds=0.09, clock=lambda: clock[0])
    assert [call.whole("server.time")["time"]["operating"] for _ in range(20)] == [0] * 20


def test_in_a_batch_single_commands_are_refused(make, clock):
    call = make(operating_limit=10, operating_seconds={"crm.deal.add": 6}, clock=lambda: clock[0])
    answer = call.batch(
        {"a": "crm.deal.add?fields[A]=1", "b": "crm.deal.add", "c": "crm.deal.add?fields[A]=1"}
    )
    assert set(answer["result"]) == {"a"}
    errors = {key: error["error"] for key, error in answer["result_error"].items()}
    assert errors == {"b": "", "c": "OPERATION_TIME_LIMIT"}, "a call that fails takes its time too"
    many = call.batch({f"c{n}": "crm.deal.add?fields[A]=1" for n in range(4)} | {"t": "server.time"})
    assert [error["error"] for error in many["result_error"].values()] == ["OPERATION_TIME_LIMIT"] * 4
    assert call.status == 200
    assert "t" in many["result"]


def test_limits_can_be_set_while_running(call):
    call.control("limits", bucket=[1, 1], operating_limit=None, latency=0)
    assert call.emulator.portal.settings.bucket == (1, 1)
    call.control("limits", bucket=None)
    for _ in range(5):
        call("server.time")


def test_arrivals_in_a_sliding_minute(call):
    for _ in range(4):
        call("server.time")
    call.emulator.portal.stats.arrivals[:2] = [0.0, 59.0]
    assert call.look("stats")["max_in_sliding_minute"] == 2
    call.control("stats/reset")
    assert call.look("stats")["requests"] == 0
