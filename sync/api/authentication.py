"""Who sends a webhook: portals by slug, remembered for a moment by this process.

An acceptance may rest on what the database said a second ago; a refusal rests on what it says now.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from sync.connectors import sends_webhooks
from sync.errors import WebhookRejected
from sync.models import Portal

REMEMBERED_SECONDS = 1.0
"""The longest time a token that staff have changed, or the slug of a deleted portal, is still believed."""

_known: dict[str, tuple[float, Portal]] = {}


def portal_of(slug: str) -> Portal:
    """The portal whose address it is; raises WebhookRejected when there is none, or none with webhooks."""
    known = _known.get(slug)
    is_fresh = known is not None and time.monotonic() - known[0] < REMEMBERED_SECONDS
    portal = known[1] if known and is_fresh else read(slug)
    if portal is None or not sends_webhooks(portal.kind):
        raise unknown(slug)
    return portal


def authenticate(portal: Portal, tokens: Collection[str]) -> Portal:
    """The portal, when it accepts one of the tokens now; raises WebhookRejected otherwise."""
    given = [token for token in tokens if token]
    if portal.accepts(given):
        return portal
    now = read(portal.slug)
    if now is None:
        raise unknown(portal.slug)
    if not now.accepts(given):
        raise WebhookRejected("unauthorized", "The token is missing or wrong.")
    return now


def read(slug: str) -> Portal | None:
    """The portal as it is now; None when there is none.

    Kept under its own slug, not the one asked for: MySQL finds `SOURCE`, too, and nobody may fill our
    memory with spellings.
    """
    asked_at = time.monotonic()
    portal = Portal.objects.filter(slug=slug).only("slug", "kind", "inbound_token").first()
    if portal:
        _known[portal.slug] = (asked_at, portal)
    else:
        forget(slug)
    return portal


def forget(slug: str) -> None:
    """Ask the database next time."""
    _known.pop(slug, None)


def unknown(slug: str) -> WebhookRejected:
    """What the sender of a webhook to an address that is nobody's is answered."""
    return WebhookRejected("unknown_portal", f'There is no portal "{slug}". Check the address.')
