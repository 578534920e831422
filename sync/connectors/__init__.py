"""Outside systems: a new one is a folder and a line here (docs/adding-a-connector.md).

`open_client` takes a kind of system and an Access and gives a Client.
"""

import os

from sync.connectors import bitrix24, rabbitmq
from sync.connectors.types import Access, Client, Connector, Introspection, Webhook

CONNECTORS: dict[str, Connector] = {
    "bitrix24": bitrix24.CONNECTOR,
    rabbitmq.KIND: rabbitmq.CONNECTOR,
}

_open: dict[tuple[int, str, str], tuple[Access, Client]] = {}


def is_called(kind: str) -> bool:
    """Whether we call portals of this kind; others only send us messages."""
    return CONNECTORS[kind].client is not None


def sends_webhooks(kind: str) -> bool:
    """Whether portals of this kind send webhooks."""
    return CONNECTORS[kind].webhook is not None


def read_webhook(kind: str, query_string: str, content_type: str, body: bytes) -> Webhook:
    """What a webhook of this kind of system says; KeyError when there are none, WebhookRejected when it is
    wrong.
    """
    read = CONNECTORS[kind].webhook
    if read is None:
        raise KeyError(kind)
    return read(query_string, content_type, body)


def introspection_of(kind: str) -> Introspection:
    """What portals of this kind can be asked about themselves; KeyError for one that is never called."""
    introspection = CONNECTORS[kind].introspection
    if introspection is None:
        raise KeyError(kind)
    return introspection


def open_client(kind: str, access: Access) -> Client:
    """The client of a portal, the same one as long as its Access stays the same; KeyError for an unknown
    kind or one that is never called.

    Keyed by process: a connection shared by parent and child after a fork would mix their answers.
    """
    key = (os.getpid(), kind, access.portal)
    known = _open.get(key)
    if known is None or known[0] != access:
        make = CONNECTORS[kind].client
        if make is None:
            raise KeyError(kind)
        known = _open[key] = (access, make(access))
    return known[1]
