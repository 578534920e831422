"""Many commands in one request: who gets which answer."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from sync.connectors.types import Command, Reply
from sync.errors import OutcomeUnknown, Refused, Throttled
from tests.connectors.calling import GOOD, client_for
from tests.connectors.contract import SECRET
from tests.connectors.scripted import Scripted, answer


class Batch:
    """Answers a batch: parts are given by the commands' places, and sent by the keys the commands had."""

    def __init__(self, server: Scripted, **parts: dict[int, Any]) -> None:
        self.server, self.parts = server, parts

    def __call__(self, connection: Any) -> bool:
        keys = list(self.server.received[-1].json["cmd"])
        shown = {
            name: {keys[place]: value for place, value in part.items()} or []
            for name, part in self.parts.items()
        }
        return answer({"result": shown, "time": {"operating": 1.5}})(connection)


def execute_batch(commands: dict[str, Command], **parts: dict[int, Any]) -> tuple[Reply, Scripted]:
    with Scripted([]) as server:
        server.script.append(Batch(server, **parts))
        return client_for(server).execute(commands), server


THREE = {name: Command(f"method.{name}", {"id": name}) for name in ("a", "b", "c")}


def test_more_commands_are_one_batch() -> None:
    reply, server = execute_batch(
        THREE,
        result={0: {"id": 1}, 2: None},
        result_error={1: {"error": "", "error_description": "Not found"}},
        result_time={0: {"operating": 0.2, "operating_reset_at": 7}, 2: {"operating": 0.1}},
        result_next={2: 50},
        result_total={2: 70},
    )
    received = server.received[0]
    assert received.target == f"/rest/1/{SECRET}/batch.json"
    assert received.json["halt"] == 0
    assert list(received.json["cmd"].values()) == ["method.a?id=a", "method.b?id=b", "method.c?id=c"]
    assert reply.answers["a"].result() == {"id": 1}
    assert isinstance(reply.answers["b"].error, Refused)
    assert reply.answers["b"].error.code == "NOT_FOUND"
    assert reply.answers["c"].result() is None
    assert reply.answers["c"].next_start == 50
    assert {name: (usage.seconds, usage.reset_at) for name, usage in reply.usage.items()} == {
        "batch": (1.5, 0.0),
        "method.a": (0.2, 7.0),
        "method.c": (0.1, 0.0),
    }


def test_time_spent_by_one_method_is_the_largest_told() -> None:
    same = {name: Command("m", {"id": name}) for name in ("a", "b")}
    reply, _ = execute_batch(
        same,
        result={0: 1, 1: 1},
        result_time={0: {"operating": 5}, 1: {"operating": 7, "operating_reset_at": 9}},
    )
    assert (reply.usage["m"].seconds, reply.usage["m"].reset_at) == (7, 9)


def test_empty_maps_are_lists_and_a_command_without_answer_is_unknown() -> None:
    reply, _ = execute_batch(THREE, result={}, result_error={}, result_time={}, result_next={})
    for single in reply.answers.values():
        assert isinstance(single.error, OutcomeUnknown)
        assert not single.error.is_portal_wide


@pytest.mark.parametrize("message", [[], None, "x", {"result": "x"}, {"result": []}, {"result_error": None}])
def test_a_batch_answer_of_a_wrong_shape_is_unknown(message: object) -> None:
    with Scripted([answer({"result": message})]) as server:
        reply = client_for(server).execute(THREE)
    assert all(isinstance(single.error, OutcomeUnknown) for single in reply.answers.values())


def test_a_blocked_method_inside_a_batch_and_of_the_batch_itself() -> None:
    blocked = {"error": "OPERATION_TIME_LIMIT", "error_description": "Method is blocked"}
    reply, _ = execute_batch(THREE, result={0: 1, 1: 1}, result_error={2: blocked})
    error = reply.answers["c"].error
    assert isinstance(error, Throttled)
    assert error.method == "method.c"
    with Scripted([answer(blocked, status=429)]) as server, pytest.raises(Throttled) as raised:
        client_for(server).execute(THREE)
    assert raised.value.method == "batch"


def test_parameters_in_a_batch_mean_what_they_mean_alone() -> None:
    params = {
        "filter": {">id": "5", "@id": [1, "2"]},
        "fields": {
            "a": None,
            "b": True,
            "c": False,
            "d": 1.5,
            "e": [],
            "f": ["n&=%+ x", "😀"],
            "g": {"n0": {"v": 1}},
        },
        "order": {},
        "start": -1,
    }
    _, server = execute_batch({"a": Command("m", params), "b": Command("bare")}, result={0: 1, 1: 1})
    line, bare = server.received[0].json["cmd"].values()
    assert bare == "bare"
    method, _, query = line.partition("?")
    assert method == "m"
    assert line.isascii()
    assert parse_qs(query, keep_blank_values=True) == {
        "filter[>id]": ["5"],
        "filter[@id][0]": ["1"],
        "filter[@id][1]": ["2"],
        "fields[a]": [""],
        "fields[b]": ["Y"],
        "fields[c]": ["N"],
        "fields[d]": ["1.5"],
        "fields[e]": [""],
        "fields[f][0]": ["n&=%+ x"],
        "fields[f][1]": ["😀"],
        "fields[g][n0][v]": ["1"],
        "start": ["-1"],
    }


def test_half_a_surrogate_pair_fails_nobody() -> None:
    _, server = execute_batch({"a": Command("m", {"t": "a\ud800b"}), "b": Command("n")}, result={0: 1, 1: 1})
    assert "m?t=a%3Fb" in server.received[0].json["cmd"].values()


def test_nobody_can_guess_the_keys_of_a_batch() -> None:
    first, second = (list(execute_batch(THREE, result={0: 1})[1].received[0].json["cmd"]) for _ in range(2))
    assert not set(first) & set(second)
    assert not set(first) & set(THREE)


@pytest.mark.parametrize("count", [0, 51])
def test_one_request_holds_1_to_50_commands(count: int) -> None:
    with Scripted([answer(GOOD)]) as server, pytest.raises(ValueError, match="1 to 50"):
        client_for(server).execute({str(number): Command("m") for number in range(count)})
    assert server.received == []
