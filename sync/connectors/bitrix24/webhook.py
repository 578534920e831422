"""What a webhook of Bitrix24 says: an outgoing webhook, an automation robot, or a plain call with an ID.

A webhook brings an ID and a token; everything else is fetched. Values in it are never trusted to be the
record's.
https://apidocs.bitrix24.com/api-reference/events/index.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sync.connectors.bitrix24.forms import Tree, parse_request
from sync.connectors.types import IncomingEvent
from sync.errors import WebhookRejected
from sync.redaction.masking import is_secret_key

LOOKED_FOR = "ORIGIN_ID, ID, id, deal_id, data[FIELDS][ID], data[ID], document_id[2]"
MAX_ID_DIGITS = 18
MAX_ENTITY = 40

TECHNICAL = frozenset(
    {
        "id", "origin_id", "deal_id", "user_id", "token", "event", "event_handler_id", "ts", "auth", "data",
        "document_id", "document_type",
    }
)  # fmt: skip
"""Parameters that are about the call, not about the deal, in any case of letters; they never travel."""

KEPT_OF_AUTH = frozenset({"domain", "member_id", "client_endpoint", "server_endpoint"})

ENTITIES = {
    "DEAL": "deal",
    "LEAD": "lead",
    "CONTACT": "contact",
    "COMPANY": "company",
    "QUOTE": "quote",
    "ACTIVITY": "activity",
    "TIMELINECOMMENT": "comment",
    "DYNAMICITEM": "dynamic",
}
ACTIONS = {"ADD": "add", "UPDATE": "update", "DELETE": "delete", "MOVETOCATEGORY": "update"}

_EVENT = re.compile(rf"ONCRM({'|'.join(ENTITIES)})({'|'.join(ACTIONS)})(?:_(\d+))?")
_DOCUMENT = re.compile(r"([A-Z][A-Z_]*?)(?:_(\d+))?_(\d+)")


@dataclass(frozen=True)
class Payload:
    """One webhook taken apart. `fields` is all it brought, secrets included: never store or log it."""

    fields: Tree

    @property
    def tokens(self) -> list[str]:
        """What the sender offers as proof: auth[application_token], token."""
        auth = self.fields.get("auth")
        offered = [
            auth.get("application_token") if isinstance(auth, Mapping) else None,
            self.fields.get("token"),
        ]
        return [token for token in offered if isinstance(token, str) and token]

    @property
    def public(self) -> dict[str, Any]:
        """What may be stored: everything but tokens and keys."""
        return _public(self.fields)

    def incoming_event(self) -> IncomingEvent:
        """What it says; raises WebhookRejected missing_id or invalid_id."""
        entity, action = _event_of(self.fields) or _document_of(self.fields) or ("deal", "")
        origin_id = _first_id([("ORIGIN_ID", self.fields.get("ORIGIN_ID"))])
        own_id = _first_id(_own_ids(self.fields))
        if not (origin_id or own_id):
            raise WebhookRejected("missing_id", f"No ID was given. Looked for: {LOOKED_FOR}.")
        return IncomingEvent(
            entity=entity[:MAX_ENTITY],
            action=action,
            record_id=origin_id or own_id,
            origin_id=origin_id,
            own_id=own_id,
            params=_params(self.fields),
            sent_at=_text(self.fields.get("ts")),
        )


def parse(query_string: str, content_type: str, body: bytes) -> Payload:
    """Take a webhook apart, whichever way it was sent; raises WebhookRejected invalid_json or
    invalid_body.
    """
    return Payload(parse_request(query_string, content_type, body))


def _own_ids(fields: Tree) -> Iterator[tuple[str, Any]]:
    for name in ("ID", "id", "deal_id"):
        yield name, fields.get(name)
    data = fields.get("data")
    if isinstance(data, Mapping):
        inner = data.get("FIELDS")
        yield "data[FIELDS][ID]", inner.get("ID") if isinstance(inner, Mapping) else None
        yield "data[ID]", data.get("ID")
    document = _document(fields)
    yield "document_id[2]", document[3] if document else _last_of_document(fields)


def _first_id(candidates: Any) -> str:
    for name, value in candidates:
        text = _text(value).strip()
        if not text:
            continue
        if not (text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS and int(text)):
            raise WebhookRejected("invalid_id", f"{name} is not a number: {text[:40]!r}.")
        return str(int(text))
    return ""


def _event_of(fields: Tree) -> tuple[str, str] | None:
    """(entity, action) of an event; a name we do not know is the entity itself, so that nobody takes it
    for a deal.
    """
    event = _text(fields.get("event")).strip().upper()
    if not event:
        return None
    match = _EVENT.fullmatch(event)
    if match is None:
        return event.lower(), ""
    entity = ENTITIES[match[1]]
    if entity == "dynamic":
        entity = f"dynamic_{match[3] or _type_id(fields)}"
    return entity, ACTIONS[match[2]]


def _type_id(fields: Tree) -> str:
    data = fields.get("data")
    inner = data.get("FIELDS") if isinstance(data, Mapping) else None
    return _text(inner.get("ENTITY_TYPE_ID")) if isinstance(inner, Mapping) else ""


def _document_of(fields: Tree) -> tuple[str, str] | None:
    document = _document(fields)
    if document is None:
        return None
    entity = document[1].lower()
    return (f"{entity}_{document[2]}" if document[2] else entity), ""


def _document(fields: Tree) -> re.Match[str] | None:
    """`DEAL_5`, `LEAD_5`, `DYNAMIC_147_1`: the last part of a robot's document_id, or the whole of it."""
    return _DOCUMENT.fullmatch(_last_of_document(fields).upper())


def _last_of_document(fields: Tree) -> str:
    document = fields.get("document_id")
    if isinstance(document, Mapping):
        document = document.get("2")
    elif isinstance(document, list):
        document = document[2] if len(document) > 2 else None
    return _text(document).strip()


def _params(fields: Tree) -> dict[str, str]:
    """What mappings may use: no technical parameters, no secrets, nothing empty; nested ones by their PHP
    names.
    """
    return {
        name: text
        for name, text in _flat(fields)
        if text.strip() and name.partition("[")[0].lower() not in TECHNICAL and not is_secret_key(name)
    }


def _flat(tree: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, list):
        tree = dict(enumerate(tree))
    if not isinstance(tree, Mapping):
        yield name, _text(tree)
        return
    for key, value in tree.items():
        yield from _flat(value, f"{name}[{key}]" if name else str(key))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return str(value) if isinstance(value, str | int | float) else ""


def _public(tree: Mapping[str, Any]) -> dict[str, Any]:
    public: dict[str, Any] = {}
    for key, value in tree.items():
        if key.lower() == "auth" and isinstance(value, Mapping):
            public[key] = {name: item for name, item in value.items() if name in KEPT_OF_AUTH}
        elif not is_secret_key(key):
            public[key] = _public_value(value)
    return public


def _public_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_public_value(item) for item in value]
    return _public(value) if isinstance(value, Mapping) else value
