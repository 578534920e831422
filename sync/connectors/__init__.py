"""Outside systems. `open_client` takes a kind of system and an Access and gives a Client."""

import os
from collections.abc import Callable

from sync.connectors.bitrix24 import webhook as bitrix24_webhook
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.bitrix24.webhook import Payload
from sync.connectors.types import Access, Client

CLIENTS: dict[str, Callable[[Access], Client]] = {
    "bitrix24": Bitrix24Client,
}

WEBHOOKS: dict[str, Callable[[str, str, bytes], Payload]] = {
    "bitrix24": bitrix24_webhook.parse,
}
"""Query string, content type and body of a webhook in, what it says out."""

_open: dict[tuple[int, str, str], tuple[Access, Client]] = {}


def open_client(kind: str, access: Access) -> Client:
    """The client of a portal, the same one as long as its Access stays the same; KeyError for an unknown
    kind.

    Keyed by process: a connection shared by parent and child after a fork would mix their answers.
    """
    key = (os.getpid(), kind, access.portal)
    known = _open.get(key)
    if known is None or known[0] != access:
        known = _open[key] = (access, CLIENTS[kind](access))
    return known[1]
