"""Offline events: state, not history, collected by applications."""

import pytest
import requests


class App:
    def __init__(self, call, client_id="local.1"):
        self.call = call
        self.token = call.control("apps", client_id=client_id, client_secret="s")["access_token"]

    def __call__(self, method, **params):
        url = f"{self.call.emulator.base}/rest/{method}"
        return requests.post(url, json=params | {"auth": self.token}, timeout=5).json()["result"]

    def bind(self, **params):
        assert self("event.bind", event="ONCRMDEALUPDATE", event_type="offline", **params) is True


@pytest.fixture
def app(call):
    call("crm.deal.add", fields={"TITLE": "A"})
    return App(call)


def touch(call, text="x"):
    call("crm.deal.update", id=1, fields={"TITLE": text})


def test_webhooks_are_refused(call):
    for method in ("event.bind", "event.get", "event.offline.get", "event.offline.list"):
        assert call.error(method, event="ONCRMDEALADD") == (403, "ACCESS_DENIED")


def test_a_thousand_changes_are_one_row(app, call):
    app.bind()
    for n in range(5):
        touch(call, str(n))
    (row,) = app("event.offline.get")["events"]
    assert (row["EVENT_NAME"], row["EVENT_DATA"]) == ("ONCRMDEALUPDATE", {"FIELDS": {"ID": "1"}})
    assert row["EVENT_ADDITIONAL"] == {"user_id": "1"}
    assert app("event.offline.get") == {"process_id": None, "events": []}, "reading deletes by default"


def test_reserve_and_confirm(app, call):
    app.bind()
    touch(call)
    taken = app("event.offline.get", clear=0)
    assert len(taken["process_id"]) == 32
    assert app("event.offline.get", clear=0)["events"] == [], "a second reader gets nothing"
    again = app("event.offline.get", process_id=taken["process_id"])
    assert again["events"] == taken["events"]
    touch(call, "later")
    assert len(app("event.offline.list")) == 2, "a change after reservation is a new row"
    assert app("event.offline.clear", process_id=taken["process_id"]) is True
    assert len(app("event.offline.list")) == 1


def test_failed_rows_come_back_only_to_those_who_ask(app, call):
    app.bind()
    touch(call)
    taken = app("event.offline.get", clear=0)
    message = taken["events"][0]["MESSAGE_ID"]
    assert app("event.offline.error", process_id=taken["process_id"], message_id=[message]) is True
    assert app("event.offline.get", process_id=taken["process_id"])["events"] == []
    assert len(app("event.offline.get", process_id=taken["process_id"], error=1)["events"]) == 1


def test_a_channel_does_not_hear_itself(app, call):
    app.bind(auth_connector="mine")
    app("crm.deal.update", id=1, fields={"TITLE": "own"}, auth_connector="mine")
    assert app("event.offline.get", auth_connector="mine")["events"] == []
    app("crm.deal.update", id=1, fields={"TITLE": "other"}, auth_connector="another")
    touch(call)
    assert app("event.offline.get")["events"] == [], "rows of a connector are hidden without it"
    assert len(app("event.offline.get", auth_connector="mine")["events"]) == 1


def test_bindings(app, call, mailbox):
    app.bind()
    assert app("event.bind", event="onCrmDealAdd", handler=mailbox.url) is True
    assert {row["offline"] for row in app("event.get")} == {0, 1}
    url = f"{call.emulator.base}/rest/event.bind"
    again = {"event": "ONCRMDEALADD", "handler": mailbox.url, "auth": app.token}
    assert requests.post(url, json=again, timeout=5).json()["error"] == "ERROR_CORE"
    wrong = {"event": "ONNOSUCH", "handler": mailbox.url, "auth": app.token}
    assert requests.post(url, json=wrong, timeout=5).json()["error"] == "ERROR_EVENT_NOT_FOUND"
    call("crm.deal.add", fields={})
    call.emulator.wait_for_events()
    assert mailbox.names == ["ONCRMDEALADD"]
    assert app("event.unbind", event="ONCRMDEALADD", handler=mailbox.url) == {"count": 1}
    assert app("event.unbind", event="ONCRMDEALUPDATE", event_type="offline") == {"count": 1}
    assert app("event.get") == []


def test_the_signal(app, call, mailbox):
    app.bind()
    app("event.bind", event="ONOFFLINEEVENT", handler=mailbox.url)
    touch(call)
    call.emulator.wait_for_events()
    (event,) = mailbox.events
    assert event["event"] == "ONOFFLINEEVENT"
    assert "data" not in event
    assert "refresh_token" in event["auth"]
