"""The messages about users and their leads: requests of the core role, replies of the bitrix role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sync.connectors.rabbitmq.wire import Malformed, Packet, type_of
from sync.connectors.types import IncomingEvent

Action = Literal["create", "update", "move"]

ENTITY = "user"
REPLY = "bitrix.responses"
MISSING_PHONE = "Missing phone number"
"""The reason of the error reply, word for word: programs compare it."""

PATTERNS: dict[Action, tuple[str, str]] = {
    "create": ("user_created", "create_card"),
    "update": ("user_updated", "update_card"),
    "move": ("user_moved", "move_card"),
}
"""Our word → the pattern and the action of its request."""

ACTIONS: dict[str, Action] = {pattern: action for action, (pattern, _) in PATTERNS.items()}

MAX_ID = 40
MAX_QUEUE = 255
MAX_LEAD_ID = 18


@dataclass(frozen=True)
class LeadReply:
    """What the bitrix role answered about one request.

    `user_id`: the core's ID as text, whichever JSON type it came with; `lead_id`: of a success;
    `reason`: of an error; `attempts`: 0 when the reply does not tell; `action`: create_card, update_card or
    move_card, "" when the reply does not tell (error replies never do); `user`: the user of the request, as
    the reply tells it, {} when it does not.
    """

    user_id: str
    is_success: bool
    lead_id: int | None = None
    reason: str = ""
    attempts: int = 0
    action: str = ""
    user: Mapping[str, Any] = field(default_factory=dict)


def request(action: Action, user: Mapping[str, Any], reply_queue: str) -> tuple[str, dict[str, Any]]:
    """Pattern and data of the core's request about a user `{id, full_name, phone, stage, …}`."""
    pattern, word = PATTERNS[action]
    return pattern, {"action": word, "user": dict(user), "replyQueue": reply_queue}


def success(params: Mapping[str, Any], lead_id: int, attempts: int) -> tuple[str, dict[str, Any]]:
    """Pattern and data of the reply to a request that was fulfilled; `params` as `read_request` gave them."""
    user = params["user"]
    return REPLY, {
        "status": "success",
        "action": params["action"],
        "user_id": user["id"],
        "user": user,
        "bitrix_lead_id": lead_id,
        "attempts": attempts,
    }


def error(params: Mapping[str, Any], reason: str, attempts: int) -> tuple[str, dict[str, Any]]:
    """Pattern and data of the reply to a request that failed for good."""
    user = params["user"]
    return REPLY, {
        "status": "error",
        "reason": reason,
        "user": user,
        "user_id": user["id"],
        "attempts": attempts,
        "final_attempt": True,
    }


def read_request(packet: Packet) -> IncomingEvent:
    """What the core asks for; raises Malformed.

    `params`: {"action": create_card | update_card | move_card, "user": as received, "reply_queue": "" when
    the request names none}.
    """
    action = ACTIONS.get(packet.pattern)
    if action is None:
        raise Malformed(f"pattern {packet.pattern[:40]!r} is unknown; known are {', '.join(ACTIONS)}.")
    data = _object(packet.data, "data")
    word = PATTERNS[action][1]
    if data.get("action") not in (None, word):
        raise Malformed(f"data.action {str(data['action'])[:40]!r} contradicts pattern {packet.pattern!r}.")
    user = _object(data.get("user"), "data.user")
    params = {"action": word, "user": user, "reply_queue": _reply_queue(data.get("replyQueue"))}
    return IncomingEvent(
        entity=ENTITY, action=action, record_id=_id(user.get("id"), "data.user.id"), params=params
    )


def read_reply(packet: Packet) -> LeadReply:
    """What the bitrix role answered; raises Malformed."""
    if packet.pattern != REPLY:
        raise Malformed(f"pattern {packet.pattern[:40]!r} is unknown; known is {REPLY}.")
    data = _object(packet.data, "data")
    status = data.get("status")
    if status not in ("success", "error"):
        raise Malformed(f"data.status {str(status)[:40]!r} is neither success nor error.")
    is_success = status == "success"
    return LeadReply(
        user_id=_id(_user_id(data), "data.user_id"),
        is_success=is_success,
        lead_id=_lead_id(data.get("bitrix_lead_id")) if is_success else None,
        reason="" if is_success else _text(data.get("reason")),
        attempts=_count(data.get("attempts")),
        action=_text(data.get("action")),
        user=data["user"] if isinstance(data.get("user"), dict) else {},
    )


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{name} is {type_of(value)}, not an object.")
    return value


def _id(value: Any, name: str) -> str:
    """Numbers and texts (NestJS programs like UUIDs) are IDs."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Malformed(f"{name} is {type_of(value)}, not an ID.")
    text = str(value)
    if not text.strip() or len(text) > MAX_ID:
        raise Malformed(f"{name} is empty or longer than {MAX_ID} characters.")
    return text


def _user_id(data: Mapping[str, Any]) -> Any:
    user = data.get("user")
    inner = user.get("id") if isinstance(user, Mapping) else None
    return data.get("user_id", inner)


def _reply_queue(value: Any) -> str:
    """Names beginning with `amq.` are the broker's own: nobody else can declare them and write there."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"data.replyQueue is {type_of(value)}, not a queue's name.")
    if len(value.encode()) > MAX_QUEUE or value.startswith("amq."):
        raise Malformed(f"data.replyQueue {value[:40]!r} cannot be a queue's name.")
    return value


def _lead_id(value: Any) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_LEAD_ID and int(text)):
        raise Malformed(f"data.bitrix_lead_id of a success is {str(value)[:40]!r}, not a lead's ID.")
    return int(text)


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
