"""Either end may be the NestJS original: message for message, over a real RabbitMQ."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.leads import LeadsRig, reply_data, user
from tests.nest import ReceivedMessage
from tests.processes import Site
from tests.rabbitmq import Exchange, exchange  # noqa: F401

pytestmark = pytest.mark.journey


@pytest.fixture
def rig(exchange: Exchange, sqlite_site: Site) -> Iterator[LeadsRig]:  # noqa: F811
    """An installation on SQLite with its portal, route and queues."""
    rig = LeadsRig(sqlite_site, exchange)
    rig.install()
    yield rig
    rig.stop()


def is_ours(got: ReceivedMessage) -> bool:
    """Whether we wrote the message: persistent, with an ID of ours, otherwise as NestJS writes an event."""
    properties = got.properties
    assert (got.exchange, properties.delivery_mode, properties.headers) == ("", 2, None)
    assert (properties.reply_to, properties.correlation_id, properties.content_type) == (None, None, None)
    return bool(uuid.UUID(properties.message_id))


def test_the_original_core_and_our_bitrix_role(rig: LeadsRig) -> None:
    nest, names = rig.exchange.nest, rig.exchange
    rig.work()
    rig.consume("--role", "bitrix")

    def ask(pattern: str, action: str, asked: dict[str, Any], **more: Any) -> Any:
        data = {"action": action, "user": asked, "replyQueue": names.replies}
        nest.emit(names.requests, pattern, data, **more)
        got = nest.get(names.replies, seconds=30)
        assert is_ours(got)
        assert got.routing_key == names.replies
        return reply_data(got)

    anna = user(7)
    made = ask("user_created", "create_card", anna)
    (lead,) = rig.leads()
    assert json.dumps(made, ensure_ascii=False) == json.dumps(
        {
            "status": "success",
            "action": "create_card",
            "user_id": 7,
            "user": anna,
            "bitrix_lead_id": int(lead["ID"]),
            "attempts": 1,
        },
        ensure_ascii=False,
    )
    assert (lead["NAME"], lead["STATUS_ID"]) == ("Анна №7 🙂", "NEW")
    assert [(row["VALUE"], row["VALUE_TYPE"]) for row in lead["PHONE"]] == [("+79160000007", "WORK")]

    anna = user(7, full_name="Анна Вторая", bitrix_lead_id=int(lead["ID"]))
    changed = ask("user_updated", "update_card", anna, id="an-rpc-id")  # client.send: we answer as to emit
    assert changed == made | {"action": "update_card", "user": anna}
    moved_user = anna | {"stage": "IN_PROCESS"}
    moved = ask("user_moved", "move_card", moved_user)
    assert moved == made | {"action": "move_card", "user": moved_user}
    (lead,) = rig.leads()
    assert (lead["NAME"], lead["STATUS_ID"]) == ("Анна Вторая", "IN_PROCESS")

    nobody = {"id": "uuid-9", "full_name": "Без телефона", "phone": "", "stage": "NEW"}
    assert json.dumps(ask("user_created", "create_card", nobody), ensure_ascii=False) == json.dumps(
        {
            "status": "error",
            "reason": "Missing phone number",
            "user": nobody,
            "user_id": "uuid-9",
            "attempts": 0,
            "final_attempt": True,
        },
        ensure_ascii=False,
    )
    wrong = ask("user_created", "create_card", user(8, stage="NO_SUCH_STAGE"))
    assert (wrong["status"], wrong["user_id"], wrong["final_attempt"]) == ("error", 8, True)
    assert "NO_SUCH_STAGE" in wrong["reason"]
    assert len(rig.leads()) == 1


def test_the_third_failure_is_the_final_answer(rig: LeadsRig) -> None:
    nest, names = rig.exchange.nest, rig.exchange
    broken = {"refuse": 1.0, "refuse_as": "error", "methods": ["crm.lead.add"]}
    rig.portal.post("faults", {"rules": [broken]})
    rig.work()
    rig.consume("--role", "bitrix")
    data = {"action": "create_card", "user": user(1), "replyQueue": names.replies}
    nest.emit(names.requests, "user_created", data)
    failed = reply_data(nest.get(names.replies, seconds=60))
    assert (failed["status"], failed["attempts"], failed["final_attempt"]) == ("error", 3, True)
    assert (failed["user"], failed["user_id"]) == (user(1), 1)
    assert rig.leads() == []


def test_a_portal_that_is_away_is_replied_after_the_third_try_and_a_later_success_too(rig: LeadsRig) -> None:
    nest, names = rig.exchange.nest, rig.exchange
    rig.portal.post("faults", {"away": True})
    rig.work()
    rig.consume("--role", "bitrix")
    nest.emit(names.requests, "user_created", {"user": user(1), "replyQueue": names.replies})
    failed = reply_data(nest.get(names.replies, seconds=60))
    assert (failed["status"], failed["attempts"], failed["user_id"]) == ("error", 3, 1)
    rig.portal.post("faults", {})
    done = reply_data(nest.get(names.replies, seconds=60))
    assert (done["status"], done["user_id"]) == ("success", 1)
    assert rig.leads_a_user() == {"1": 1}


def test_malformed_messages_stop_no_others(rig: LeadsRig) -> None:
    nest, names = rig.exchange.nest, rig.exchange
    rig.work()
    rig.consume("--role", "bitrix")
    nest.write(names.requests, b"\xff\xfe no JSON")
    nest.emit(names.requests, "user_deleted", {"user": user(1)})
    nest.emit(names.requests, "user_created", {"user": user(2)})
    reply = reply_data(nest.get(rig.exchange.replies, seconds=30))
    assert (reply["status"], reply["user_id"]) == ("success", 2), "no replyQueue: the usual one"
    one, other = nest.get_all(f"{names.requests}.dead", 2)
    assert one.body == b"\xff\xfe no JSON"
    assert "not UTF-8" in one.properties.headers["reason"]
    assert "user_deleted" in other.properties.headers["reason"]


def test_our_core_and_the_original_bitrix_role(rig: LeadsRig) -> None:
    nest, names = rig.exchange.nest, rig.exchange
    web = rig.serve()
    rig.work()
    rig.consume("--role", "core")

    def request() -> Any:
        got = nest.get(names.requests, seconds=30)
        assert is_ours(got)
        return got.packet

    def reply(**data: Any) -> None:
        nest.emit(names.replies, "bitrix.responses", data)

    made = rig.ask(web, "POST", "/users", full_name="Анна 🙂", phone="8 (916) 123-45-67", stage="NEW")
    known = {"id": made["id"], "full_name": "Анна 🙂", "phone": "+79161234567", "stage": "NEW"}
    created = {"action": "create_card", "user": known, "replyQueue": names.replies}
    assert json.dumps(request()) == json.dumps({"pattern": "user_created", "data": created})
    reply(
        status="success",
        action="create_card",
        user_id=known["id"],
        user=known,
        bitrix_lead_id=4711,
        attempts=1,
    )

    def shown_user() -> Any:
        return rig.ask(web, "GET", f"/users/{known['id']}")

    rig.wait_until(lambda: shown_user()["bitrix_lead_id"] == 4711)
    assert shown_user()["lead"]["state"] == "linked"

    rig.ask(web, "PATCH", f"/users/{known['id']}", full_name="Анна Вторая")
    known |= {"full_name": "Анна Вторая", "bitrix_lead_id": 4711}
    updated = {"action": "update_card", "user": known, "replyQueue": names.replies}
    assert json.dumps(request()) == json.dumps({"pattern": "user_updated", "data": updated})
    reply(
        status="error",
        reason="Bitrix24 is down",
        user=known,
        user_id=known["id"],
        attempts=3,
        final_attempt=True,
    )
    rig.wait_until(lambda: shown_user()["lead"]["state"] == "failed")
    assert (shown_user()["lead"]["reason"], shown_user()["bitrix_lead_id"]) == ("Bitrix24 is down", 4711)

    rig.ask(web, "POST", f"/users/{known['id']}/move", stage="WON")
    known |= {"stage": "WON"}
    moved = {"action": "move_card", "user": known, "replyQueue": names.replies}
    assert json.dumps(request()) == json.dumps({"pattern": "user_moved", "data": moved})
    reply(
        status="success", action="move_card", user_id=known["id"], user=known, bitrix_lead_id=4711, attempts=1
    )
    rig.wait_until(lambda: shown_user()["lead"]["state"] == "linked")
    reply(status="success", action="move_card", user_id=10**6, user={}, bitrix_lead_id=1, attempts=1)
    dead = nest.get(f"{names.replies}.dead")
    assert "no user" in dead.properties.headers["reason"]


def test_without_rabbitmq_both_roles_work_in_one_process(rig: LeadsRig) -> None:
    rig.site.settings["RABBITMQ_URL"] = ""
    web = rig.serve()
    rig.work()
    made = rig.ask(web, "POST", "/users", full_name="Анна", phone="+79161234567", stage="NEW")
    rig.ask(web, "PATCH", f"/users/{made['id']}", full_name="Анна Вторая")
    rig.ask(web, "POST", f"/users/{made['id']}/move", stage="IN_PROCESS")
    rig.wait_until(lambda: rig.is_quiet() and rig.states() == {"linked": 1})
    (lead,) = rig.leads()
    assert (lead["NAME"], lead["STATUS_ID"]) == ("Анна Вторая", "IN_PROCESS")
    shown_user = rig.ask(web, "GET", f"/users/{made['id']}")
    assert shown_user["bitrix_lead_id"] == int(lead["ID"])
