"""Bitrix24: the client that makes the calls, the vocabulary of its CRM (`crm`), its webhooks (`webhook`)."""

from sync.connectors.bitrix24.address import webhook_address
from sync.connectors.bitrix24.cards import card_path, read_card
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.bitrix24.crm.account import INTROSPECTION
from sync.connectors.bitrix24.webhook import parse
from sync.connectors.types import Connector
from sync.i18n import gettext_noop as _

CONNECTOR = Connector(
    label="Bitrix24",
    entities={
        "deal": _("deal"),
        "contact": _("contact"),
        "company": _("company"),
        "lead": _("lead"),
        "comment": _("comment"),
    },
    actions={
        "add": _("created"),
        "update": _("changed"),
        "delete": _("deleted"),
        "": _("signal of a robot"),
    },
    client=Bitrix24Client,
    webhook=parse,
    address=webhook_address,
    introspection=INTROSPECTION,
    card_path=card_path,
    read_card=read_card,
)
