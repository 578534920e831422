"""What goes wrong on command, and whether the work was done all the same."""

import time

import pytest
import requests

LOST = requests.exceptions.ConnectionError


def titles(call):
    return [deal["TITLE"] for deal in call.emulator.deals()]


def add(call, title="A"):
    return call.whole("crm.deal.add", fields={"TITLE": title})


def test_refused_as_a_reset(call):
    call.control("faults", refuse=1)
    with pytest.raises(LOST, match="reset"):
        add(call)
    call.control("faults")
    assert titles(call) == []


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [("query_limit", 503, "QUERY_LIMIT_EXCEEDED"), ("error", 500, "INTERNAL_SERVER_ERROR")],
)
def test_refused_with_an_answer(call, word, status, code):
    call.control("faults", refuse=1, refuse_as=word)
    assert add(call)["error"] == code
    assert (call.status, titles(call)) == (status, [])


def test_cut_after_the_work_is_done(call):
    call.control("faults", cut=1)
    with pytest.raises(LOST, match=r"closed connection|aborted"):
        add(call)
    assert titles(call) == ["A"]


def test_cut_in_the_middle_of_the_answer(call):
    call.control("faults", cut=1, cut_where="middle")
    with pytest.raises(
        (LOST, requests.exceptions.ChunkedEncodingError), match=r"IncompleteRead|incomplete|read"
    ):
        add(call)
    assert titles(call) == ["A"]


def test_cut_inside_a_batch(call):
    call.control("faults", cut=1, cut_where="inside")
    with pytest.raises(LOST):
        call.batch({f"c{n}": f"crm.deal.add?fields[TITLE]={n}" for n in range(10)})
    assert titles(call) == ["0", "1", "2", "3", "4"]


def test_a_request_that_takes_too_long_is_cut_and_its_work_stays(call):
    call.control("limits", request_limit=0.1)
    call.control("faults", command_latency=0.04)
    with pytest.raises(LOST):
        call.batch({f"c{n}": f"crm.deal.add?fields[TITLE]={n}" for n in range(20)})
    assert 1 < len(titles(call)) < 10


def test_a_held_answer(call):
    call.control("faults", hang=1, hang_seconds=0.4)
    with pytest.raises(requests.exceptions.ReadTimeout):
        call.session.post(call.emulator.url + "crm.deal.add", json={"fields": {"TITLE": "A"}}, timeout=0.1)
    assert titles(call) == ["A"]


@pytest.mark.parametrize("fault", [{"latency": 0.2}, {"command_latency": 0.1}, {"slow_body": 0.2}])
def test_slow(call, fault):
    call.control("faults", **fault)
    started = time.monotonic()
    call.batch({"a": "server.time", "b": "server.time"})
    assert 0.18 < time.monotonic() - started < 2


@pytest.mark.parametrize("status", [502, 503])
def test_an_html_page(call, status):
    call.control("faults", html=1, html_status=status)
    answer = call.session.post(call.emulator.url + "crm.deal.add", json={"fields": {}}, timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
    assert titles(call) == []


def test_an_answer_that_is_not_json(call):
    call.control("faults", malformed=1)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        add(call)
    assert titles(call) == ["A"]


def test_away(call):
    call.control("faults", away=True)
    for _ in range(3):
        with pytest.raises(LOST):
            add(call)
    call.control("faults")
    add(call)
    assert titles(call) == ["A"]


def test_stopped_and_started_again_on_the_same_port(call):
    add(call)
    port = call.emulator.port
    call.emulator.stop()
    with pytest.raises(LOST):
        add(call)
    call.emulator.restart()
    assert call.emulator.port == port
    add(call, "B")
    assert titles(call) == ["A", "B"]


def test_renamed(call, make):
    new = make()
    call.control("faults", rename_to=new.emulator.base.removeprefix("http://"))
    url = call.emulator.url + "crm.deal.add?x=1"
    answer = call.session.post(url, json={"fields": {"TITLE": "A"}}, timeout=5, allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"] == new.emulator.url + "crm.deal.add?x=1"
    followed = call.session.post(url, json={"fields": {"TITLE": "A"}}, timeout=5)
    assert followed.json()["error_description"] == "Parameter 'fields' must be array.", "the body was lost"
    assert titles(call) == []


@pytest.mark.parametrize(("word", "status"), [("PAYMENT_REQUIRED", 401), ("ACCESS_DENIED", 403)])
def test_expired_licence(call, word, status):
    call.control("faults", licence=word)
    assert call.error("crm.deal.add", fields={}) == (status, word)
    assert call.error("batch", cmd={"a": "server.time"}) == (status, word)


def test_expired_token(call):
    call.control("faults", expired_token=1, count=1)
    assert call.error("crm.deal.add", fields={}) == (401, "expired_token")
    assert add(call)["result"] == 1


def test_single_commands_fail_before_they_are_executed(call):
    call.control("faults", command_error=1, count=1, methods=["crm.deal.add"])
    answer = call.batch(
        {"a": "server.time", "b": "crm.deal.add?fields[TITLE]=B", "c": "crm.deal.add?fields[TITLE]=C"}
    )
    assert {key: error["error"] for key, error in answer["result_error"].items()} == {
        "b": "INTERNAL_SERVER_ERROR"
    }
    assert titles(call) == ["C"]


def test_limited_to_methods_and_count(call):
    call.control("faults", refuse=1, refuse_as="error", methods=["CRM.deal.add"], count=2)
    assert call("crm.deal.list") == []
    assert [add(call).get("error", "") for _ in range(3)] == ["INTERNAL_SERVER_ERROR"] * 2 + [""]
    call.control("faults", refuse=1, refuse_as="error", methods=["crm.deal.add"])
    assert call.error("batch", cmd={"a": "crm.deal.add?fields[A]=1"})[0] == 500


def test_several_rules(call):
    rules = [
        {"refuse": 1, "refuse_as": "error", "methods": ["crm.deal.add"]},
        {"html": 1, "methods": ["scope"]},
    ]
    call.control("faults", rules=rules)
    assert add(call)["error"] == "INTERNAL_SERVER_ERROR"
    assert call.session.get(call.emulator.url + "scope", timeout=5).status_code == 502
    assert call("server.time")


def test_chances_repeat_with_their_seed(call):
    def run():
        call.control("faults", refuse=0.5, refuse_as="error", seed=7)
        return [call.whole("server.time").get("error", "") for _ in range(30)]

    first = run()
    assert first == run()
    assert 5 < first.count("") < 25


@pytest.mark.parametrize(
    "wrong", [{"refuze": 1}, {"refuse_as": "x"}, {"events": {"lose": 1}}, {"rules": [], "cut": 1}]
)
def test_unknown_faults_are_named(call, wrong):
    answer = call.session.post(f"{call.emulator.base}/emulator/faults", json=wrong, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
