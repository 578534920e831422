"""Short ways for tests of the Bitrix24 client to call a scripted server."""

from typing import Any

from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.types import Access, Command, Reply
from tests.connectors.scripted import Behaviour, Scripted

GOOD = {"result": {"item": {"id": 5}}, "time": {"operating": 0.41, "operating_reset_at": 1724917459}}
GET = Command("crm.item.get", {"id": 5})


def client_for(server: Scripted, **changes: Any) -> Bitrix24Client:
    settings: dict[str, Any] = {"allow_private": True, "read_timeout": 2.0}
    return Bitrix24Client(Access("source", server.url, **(settings | changes)))


def execute_one(script: Behaviour, command: Command = GET) -> Reply:
    with Scripted([script]) as server:
        return client_for(server).execute({"a": command})
