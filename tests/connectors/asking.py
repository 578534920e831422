"""Short ways for tests to ask a portal something."""

from typing import Any

from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.types import Command


def ask(client: Bitrix24Client, command: Command) -> Any:
    return client.execute({"a": command}).answers["a"].result()


def new_deal(client: Bitrix24Client, **fields: Any) -> str:
    return crm.read_added(ask(client, crm.add_deal({"TITLE": "x", **fields})))


def deal(client: Bitrix24Client, deal_id: str) -> dict[str, Any]:
    return crm.read_deals(ask(client, crm.deals_by_ids([deal_id])))[deal_id]
