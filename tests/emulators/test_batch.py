"""Batch: fifty commands in one request, each with an outcome of its own."""

import pytest
import requests


def test_maps(call):
    answer = call.batch({"ok": "crm.deal.add?fields[TITLE]=A", "bad": "crm.deal.get?id=99"})
    assert call.status == 200
    assert answer["result"] == {"ok": 1}
    assert answer["result_error"] == {"bad": {"error": "", "error_description": "Not found"}}
    assert (answer["result_total"], answer["result_next"]) == ([], [])
    assert set(answer["result_time"]) == {"ok"}
    assert {"operating", "operating_reset_at", "duration"} <= set(answer["result_time"]["ok"])


def test_200_though_all_failed(call):
    answer = call.batch({"a": "crm.deal.get?id=99", "b": "no.such"})
    assert (call.status, answer["result"]) == (200, [])
    assert answer["result_error"]["b"]["error"] == "ERROR_METHOD_NOT_FOUND"


def test_whole_number_keys_make_lists_until_there_is_a_gap(call):
    call.control("deals", count=2, fields={})
    command = "crm.deal.get?id={}&select[]=ID"
    assert isinstance(call.batch([command.format(1), command.format(2)])["result"], list)
    holed = call.batch([command.format(99), command.format(2)])
    assert set(holed["result"]) == {"1"}
    assert holed["result_error"][0]["error_description"] == "Not found"


def test_totals_and_next_for_lists_only(call):
    call.control("deals", count=60, fields={})
    answer = call.batch({"list": "crm.deal.list?select[]=ID", "one": "crm.deal.get?id=1"})
    assert (answer["result_total"], answer["result_next"]) == ({"list": 60}, {"list": 50})


def test_earlier_results_are_put_in(call):
    commands = {
        "contact": "crm.contact.add?fields[NAME]=A",
        "deal": "crm.deal.add?fields[TITLE]=D&fields[CONTACT_ID]=$result[contact]",
        "read": "crm.deal.get?id=$result[deal]",
        "next": "crm.deal.list?filter[>ID]=$result[page][49][ID]&start=-1",
    }
    answer = call.batch(commands)
    assert answer["result"]["read"]["CONTACT_ID"] == "1"
    assert len(answer["result"]["next"]) == 1, (
        "a reference that leads nowhere stays as it is, and drops the filter"
    )


def test_the_chain_of_pages(call):
    call.control("deals", count=120, fields={})
    commands = {"p0": "crm.deal.list?select[]=ID&order[ID]=ASC&start=-1"}
    for page in (1, 2):
        commands[f"p{page}"] = (
            f"crm.deal.list?select[]=ID&order[ID]=ASC&start=-1&filter[%3EID]=$result[p{page - 1}][49][ID]"
        )
    pages = call.batch(commands, halt=1)["result"]
    assert [len(rows) for rows in pages.values()] == [50, 50, 20]
    assert len({row["ID"] for rows in pages.values() for row in rows}) == 120


def test_halt(call):
    commands = {"a": "crm.deal.add?fields[TITLE]=A", "b": "no.such", "c": "crm.deal.add?fields[TITLE]=C"}
    answer = call.batch(commands, halt=1)
    assert (set(answer["result"]), set(answer["result_error"])) == ({"a"}, {"b"})
    assert set(call.batch(commands, halt=0)["result"]) == {"a", "c"}


def test_beyond_fifty(call):
    answer = call.batch({f"c{n}": "crm.deal.add?fields[TITLE]=x" for n in range(52)})
    assert len(answer["result"]) == 50
    assert {key: error["error"] for key, error in answer["result_error"].items()} == {
        "c50": "ERROR_BATCH_LENGTH_EXCEEDED",
        "c51": "ERROR_BATCH_LENGTH_EXCEEDED",
    }
    assert len(call.emulator.deals()) == 50


def test_a_batch_in_a_batch_is_refused(call):
    answer = call.batch({"a": "batch?cmd[x]=server.time"})
    assert answer["result_error"]["a"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("value", ["a&b=c", "50 % + 1", "[B]x[/B] 😀", "?x=1"])
def test_values_are_encoded_once_in_json_and_twice_in_a_form(call, value):
    command = "crm.deal.add?" + requests.models.RequestEncodingMixin._encode_params({"fields[TITLE]": value})
    call.batch({"a": command})
    requests.post(call.emulator.url + "batch", data={"cmd[a]": command}, timeout=5)
    assert [deal["TITLE"] for deal in call.emulator.deals()] == [value, value]


def test_everything_becomes_text(call):
    """A None written by a careless client arrives as the word."""
    call.batch({"a": "crm.deal.add?fields[TITLE]=None"})
    assert call.emulator.deals()[0]["TITLE"] == "None"


def test_commands_that_are_not_text_are_skipped(call):
    assert call.batch({"a": {"method": "server.time"}, "b": "server.time"})["result"].keys() == {"b"}


def test_counted_as_one_request_and_many_calls(call):
    call.batch({"a": "server.time", "b": "server.time"})
    stats = call.look("stats")
    assert (stats["requests"], stats["calls"]) == (1, {"batch": 1, "server.time": 2})
    assert stats["requests_by_path"] == {"batch": 1}
