"""The messages about users and leads: exactly those of the original, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sync.connectors.rabbitmq import leads
from sync.connectors.rabbitmq.leads import LeadReply, read_reply, read_request
from sync.connectors.rabbitmq.wire import Malformed, Packet

USER = {"id": 7, "full_name": "Анна", "phone": "+79161234567", "stage": "NEW"}
PARAMS = {"action": "create_card", "user": USER, "reply_queue": "bitrix.responses"}


@pytest.mark.parametrize(
    ("action", "pattern", "word"),
    [
        ("create", "user_created", "create_card"),
        ("update", "user_updated", "update_card"),
        ("move", "user_moved", "move_card"),
    ],
)
def test_a_request_is_the_originals_and_is_read_as_what_it_asks(
    action: leads.Action, pattern: str, word: str
) -> None:
    message = leads.request(action, USER, "bitrix.responses")
    assert message == (pattern, {"action": word, "user": USER, "replyQueue": "bitrix.responses"})
    notice = read_request(Packet(*message))
    assert (notice.entity, notice.action, notice.record_id) == ("user", action, "7")
    assert notice.params == {"action": word, "user": USER, "reply_queue": "bitrix.responses"}


def test_the_user_comes_through_as_it_was_sent() -> None:
    user = {"id": "a-uuid", "full_name": None, "tags": [1, {"x": ""}], "bitrix_lead_id": 55}
    notice = read_request(Packet("user_moved", {"action": "move_card", "user": user, "extra": 1}))
    assert notice.params == {"action": "move_card", "user": user, "reply_queue": ""}
    assert notice.record_id == "a-uuid"


def test_success_is_the_originals() -> None:
    assert leads.success(PARAMS, 55, 2) == (
        "bitrix.responses",
        {
            "status": "success",
            "action": "create_card",
            "user_id": 7,
            "user": USER,
            "bitrix_lead_id": 55,
            "attempts": 2,
        },
    )


def test_an_error_is_the_originals() -> None:
    assert leads.error(PARAMS, leads.MISSING_PHONE, 1) == (
        "bitrix.responses",
        {
            "status": "error",
            "reason": "Missing phone number",
            "user": USER,
            "user_id": 7,
            "attempts": 1,
            "final_attempt": True,
        },
    )


def test_replies_are_read() -> None:
    done = read_reply(Packet(*leads.success(PARAMS, 55, 2)))
    assert done == LeadReply("7", is_success=True, lead_id=55, attempts=2, action="create_card", user=USER)
    failed = read_reply(Packet(*leads.error(PARAMS, "No", 3)))
    assert failed == LeadReply("7", is_success=False, reason="No", attempts=3, user=USER)


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        ({"status": "success", "user_id": "u-1", "bitrix_lead_id": "55"}, LeadReply("u-1", True, lead_id=55)),
        ({"status": "error", "user": {"id": 7}, "attempts": "many"}, LeadReply("7", False, user={"id": 7})),
        (
            {"status": "error", "user_id": 7, "reason": {"code": 1}},
            LeadReply("7", False, reason='{"code": 1}'),
        ),
    ],
)
def test_a_reply_may_be_written_loosely(data: dict[str, Any], reply: LeadReply) -> None:
    assert read_reply(Packet("bitrix.responses", data)) == reply


USERLESS = "data.user is missing, not an object"


@pytest.mark.parametrize(
    ("pattern", "data", "said"),
    [
        ("user_deleted", {"user": USER}, "pattern 'user_deleted' is unknown"),
        ("user_created", None, "data is missing"),
        ("user_created", [USER], "data is a list"),
        ("user_created", {"action": "create_card"}, USERLESS),
        ("user_created", {"user": "7"}, "data.user is a string"),
        ("user_created", {"user": {}}, "data.user.id is missing"),
        ("user_created", {"user": {"id": True}}, "data.user.id is a boolean"),
        ("user_created", {"user": {"id": 1.5}}, "data.user.id is a number, not an ID"),
        ("user_created", {"user": {"id": " "}}, "data.user.id is empty"),
        ("user_created", {"user": {"id": "x" * 41}}, "longer than 40"),
        ("user_created", {"action": "move_card", "user": USER}, "contradicts pattern"),
        ("user_created", {"action": {"a": 1}, "user": USER}, "contradicts pattern"),
        ("user_created", {"user": USER, "replyQueue": 5}, "data.replyQueue is a number"),
        ("user_created", {"user": USER, "replyQueue": "amq.rabbitmq.reply-to"}, "cannot be a queue's name"),
        ("user_created", {"user": USER, "replyQueue": "я" * 128}, "cannot be a queue's name"),
    ],
)
def test_a_request_nobody_can_fulfil_says_why(pattern: str, data: Any, said: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_request(Packet(pattern, data))
    assert said in refused.value.reason


@pytest.mark.parametrize(
    ("pattern", "data", "said"),
    [
        ("user_created", {"status": "error", "user_id": 7}, "pattern"),
        ("bitrix.responses", "done", "data is a string"),
        ("bitrix.responses", {"user_id": 7}, "neither success nor error"),
        ("bitrix.responses", {"status": ["success"], "user_id": 7}, "neither success nor error"),
        ("bitrix.responses", {"status": "error"}, "data.user_id is missing"),
        ("bitrix.responses", {"status": "success", "user_id": 7}, "not a lead's ID"),
        ("bitrix.responses", {"status": "success", "user_id": 7, "bitrix_lead_id": 0}, "not a lead's ID"),
        ("bitrix.responses", {"status": "success", "user_id": 7, "bitrix_lead_id": True}, "not a lead's ID"),
        ("bitrix.responses", {"status": "success", "user_id": 7, "bitrix_lead_id": 10**19}, "not a lead's"),
    ],
)
def test_a_reply_nobody_understands_says_why(pattern: str, data: Any, said: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_reply(Packet(pattern, data))
    assert said in refused.value.reason
