"""The cards of deals and leads in their portals: from a row to a link, from a pasted link to a row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from sync.connectors import CONNECTORS
from sync.models import Portal

_ID = re.compile(r"\d{1,20}")
_NUMBERED = re.compile(r"(?:(?:deal|lead)[_ ]|№ ?|# ?|id[: ]*)(\d{1,20})", re.IGNORECASE)
_OTHER_ID = re.compile(r"[\w-]{1,40}")


@dataclass(frozen=True)
class DealNumber:
    """What somebody searched for: a record's ID, and its portal when they pasted its card's address."""

    deal_id: str
    host: str = ""


def read_number(term: str) -> DealNumber | None:
    """The record meant by `term`: 123, DEAL_123, №123, or the address of its card, or None."""
    term = term.strip()
    if _ID.fullmatch(term):
        return DealNumber(term)
    if numbered := _NUMBERED.fullmatch(term):
        return DealNumber(numbered[1])
    address = term if "//" in term else f"https://{term}"
    try:
        parts = urlsplit(address)
        host = (parts.netloc or "").rpartition("@")[2].lower()
    except ValueError:
        return None
    readers = (connector.read_card for connector in CONNECTORS.values() if connector.read_card)
    found = next(filter(None, (read(parts.path) for read in readers)), "")
    return DealNumber(found, host) if found else None


def read_id(term: str) -> DealNumber | None:
    """As `read_number`, and also the IDs of other systems' users, which may be any word."""
    return read_number(term) or (DealNumber(term.strip()) if _OTHER_ID.fullmatch(term.strip()) else None)


def host_of(portal: Portal) -> str:
    """The host (and port, if any) of the portal's address; never the rest, which is its secret."""
    try:
        return (urlsplit(portal.webhook_url or "").netloc).rpartition("@")[2].lower()
    except ValueError:
        return ""


def card_link(portal: Portal | None, record_id: str | None, *, entity: str = "deal") -> SafeString | str:
    """A link to the record's card in its portal, which opens in a new tab."""
    if not record_id:
        return "…"
    host = host_of(portal) if portal else ""
    path = CONNECTORS[portal.kind].card_path if portal else None
    if portal is None or path is None or not host or not record_id.isdigit():
        return record_id
    scheme = "http" if (portal.webhook_url or "").startswith("http://") else "https"
    return format_html(
        '<a href="{}://{}{}" target="_blank" rel="noopener noreferrer" title="{}">{}</a>',
        scheme,
        host,
        path(entity, record_id),
        _("Open the card at %(portal)s") % {"portal": portal},
        record_id,
    )


def portals_at(host: str) -> list[int]:
    """IDs of the portals with that host; addresses are encrypted, so the few portals are compared here."""
    return [portal.pk for portal in Portal.objects.only("webhook_url") if host_of(portal) == host]
