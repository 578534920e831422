"""Who sends a webhook: portals by slug, remembered for a moment by this process.

An acceptance may rest on what the database said a second ago; a refusal rests on what it says now, so the
caller reads again before it refuses.
"""

from __future__ import annotations

import time

from sync.models import Portal

REMEMBERED_SECONDS = 1.0
"""The longest time a token that staff have changed, or the slug of a deleted portal, is still believed."""

_known: dict[str, tuple[float, Portal]] = {}


def remembered(slug: str) -> Portal | None:
    """The portal as it was within the last second; None when nobody has asked for it."""
    known = _known.get(slug)
    return known[1] if known and time.monotonic() - known[0] < REMEMBERED_SECONDS else None


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
        _known.pop(slug, None)
    return portal
