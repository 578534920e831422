"""Events: what is posted, when, to whom; and what may go wrong on the way."""

import time

import pytest

from sandbox.emulators.bitrix24.entities import DEAL


@pytest.fixture
def listen(call, mailbox):
    def to(*names, **handler):
        for name in names:
            call.control("handlers", event=name, url=mailbox.url, application_token="tok", **handler)

    return to


def settle(call):
    assert call.emulator.wait_for_events()
    time.sleep(0.02)


def test_the_form_of_an_outgoing_webhook(call, mailbox, listen):
    listen("ONCRMDEALADD", kind="webhook")
    deal_id = call("crm.deal.add", fields={"TITLE": "A"})
    settle(call)
    (event,) = mailbox.events
    portal = call.emulator.portal
    assert set(event) == {"event", "event_handler_id", "data", "ts", "auth"}
    assert event["event"] == "ONCRMDEALADD"
    assert event["data"] == {"FIELDS": {"ID": str(deal_id)}}
    assert event["auth"] == {
        "domain": portal.domain,
        "client_endpoint": f"{call.emulator.base}/rest/",
        "server_endpoint": "https://oauth.bitrix24.tech/rest/",
        "member_id": portal.member_id,
        "application_token": "tok",
    }
    assert len(portal.member_id) == 32


def test_an_application_gets_tokens_and_funnel_moves(call, mailbox):
    installed = call.control("apps", client_id="local.1", client_secret="s")
    for kind in ("app", "webhook"):
        for name in ("ONCRMDEALMOVETOCATEGORY", "ONCRMDEALUPDATE"):
            call.control("handlers", event=name, url=mailbox.url, kind=kind, client_id="local.1")
    deal_id = call("crm.deal.add", fields={"CATEGORY_ID": 2})
    call("crm.item.update", entityTypeId=DEAL, id=deal_id, fields={"categoryId": 25})
    settle(call)
    (event,) = mailbox.events
    assert event["event"] == "ONCRMDEALMOVETOCATEGORY", "instead of an update, and never to a webhook"
    assert event["data"]["FIELDS"] == {"ID": str(deal_id), "CATEGORY_ID": "25", "STAGE_ID": "C25:NEW"}
    assert event["auth"]["application_token"] == installed["application_token"]
    assert {"access_token", "expires_in", "scope", "status"} <= set(event["auth"])
    assert "refresh_token" not in event["auth"]


def test_an_application_is_installed_for_a_handler_that_needs_one(call, mailbox, listen):
    listen("ONCRMDEALADD", kind="app")
    call("crm.deal.add", fields={})
    settle(call)
    assert mailbox.events[0]["auth"]["application_token"] == "tok"
    assert mailbox.events[0]["auth"]["access_token"]


@pytest.mark.parametrize("code", ["deal", "contact", "company", "lead"])
def test_the_three_events_of_each_kind(call, mailbox, listen, code):
    names = [f"ONCRM{code.upper()}{verb}" for verb in ("ADD", "UPDATE", "DELETE")]
    listen(*names)
    made = call(f"crm.{code}.add", fields={"TITLE": "A", "NAME": "A"})
    call(f"crm.{code}.update", id=made, fields={"COMMENTS": "b"})
    call(f"crm.{code}.delete", id=made)
    settle(call)
    assert mailbox.names == names


def test_a_stage_change_is_an_update_and_a_silent_update_is_nothing(call, mailbox, listen):
    listen("ONCRMDEALUPDATE")
    deal_id = call("crm.deal.add", fields={"CATEGORY_ID": 2})
    call("crm.deal.update", id=deal_id, fields={"STAGE_ID": "C2:PREPARATION"})
    call("crm.deal.update", id=deal_id, fields={"STAGE_ID": "C25:NEW"})
    settle(call)
    assert mailbox.names == ["ONCRMDEALUPDATE"]


def test_comments_come_in_both_spellings(call, mailbox, listen):
    listen("ONCRMTIMELINECOMMENTADD", "ONCRMTIMELINECOMMENTDELETE")
    call("crm.deal.add", fields={})
    fields = {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "c"}
    first, second = (call("crm.timeline.comment.add", fields=fields) for _ in range(2))
    call("crm.timeline.comment.delete", id=first)
    settle(call)
    core, documented, deleted = mailbox.events
    assert (core["event"], core["data"]) == ("ONCRMTIMELINECOMMENTADD", {"FIELDS": {"ID": str(first)}})
    assert (documented["event"], documented["data"]) == ("onCrmTimelineCommentAdd", {"ID": str(second)})
    assert deleted["data"] == {"FIELDS": {"ID": str(first)}}
    assert not any("event_handler_id" in event for event in mailbox.events)


def test_a_new_user_comes_whole(call, mailbox, listen):
    listen("ONUSERADD")
    call.control("users", rows=[{"NAME": "Мария"}], fire=True)
    settle(call)
    assert (mailbox.events[0]["data"]["NAME"], mailbox.events[0]["data"]["ACTIVE"]) == ("Мария", "Y")


def test_the_robot(call, mailbox):
    call.control("robot", deal_id=5, url=mailbox.url)
    settle(call)
    (event,) = mailbox.events
    assert event["document_id"] == ["crm", "CCrmDocumentDeal", "DEAL_5"]
    assert set(event["auth"]) == {"domain", "client_endpoint", "server_endpoint", "member_id"}
    assert set(event) == {"document_id", "auth"}


def test_seeding_is_silent_unless_asked(call, mailbox, listen):
    listen("ONCRMDEALADD")
    call.control("deals", count=3, fields={})
    assert len(call.control("deals", deals=[{}, {}], fire=True)["ids"]) == 2
    settle(call)
    assert len(mailbox.events) == 2
    assert call.look("stats")["events_fired"] == 2


@pytest.mark.parametrize(("fault", "count"), [({"duplicate": 1}, 8), ({"drop": 1}, 0), ({"drop": 0.5}, None)])
def test_duplicated_and_dropped(call, mailbox, listen, fault, count):
    listen("ONCRMDEALADD")
    call.control("faults", events=fault, seed=1)
    call.control("deals", count=4, fields={}, fire=True)
    settle(call)
    assert len(mailbox.events) == count if count is not None else 0 < len(mailbox.events) < 4


def test_delayed(call, mailbox, listen):
    listen("ONCRMDEALADD")
    call.control("faults", events={"delay": 1, "delay_seconds": 0.3})
    started = time.monotonic()
    call("crm.deal.add", fields={})
    settle(call)
    assert time.monotonic() - started > 0.3


def test_reordered(call, mailbox, listen):
    listen("ONCRMDEALADD")
    call.control("faults", events={"reorder": 0.5}, seed=3)
    call.control("deals", count=20, fields={}, fire=True)
    settle(call)
    ids = [int(event["data"]["FIELDS"]["ID"]) for event in mailbox.events]
    assert sorted(ids) == list(range(1, 21))
    assert ids != sorted(ids)


def test_at_most_once(call, mailbox, listen):
    call.control("handlers", event="ONCRMDEALADD", url="http://127.0.0.1:9/nobody")
    listen("ONCRMDEALADD")
    call("crm.deal.add", fields={})
    settle(call)
    assert len(mailbox.events) == 1
    assert call.look("stats")["events_fired"] == 2, "the one that failed is not sent again"
