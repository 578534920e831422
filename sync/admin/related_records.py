"""What else is known about a record that no job is about, so that a search always has an answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from sync.admin.cards import portals_at, read_id
from sync.admin.record_search import found_links
from sync.models import Event


def related_records(user: Any, term: str) -> list[str]:
    """Sentences about webhooks and mappings of the record that `term` means, those the person may see."""
    number = read_id(term)
    if number is None:
        return [_("This is neither an ID nor the address of a card.")] if term.strip() else []
    lines = []
    if user.has_perm("sync.view_link") and found_links(number):
        text = _("No job about it is kept, but it is mapped: see its deal mapping.")
        lines.append(_link("admin:sync_link_changelist", term, text))
    if user.has_perm("sync.view_event"):
        events = Event.objects.filter(record_id=number.deal_id)
        if (events.filter(portal__in=portals_at(number.host)) if number.host else events).exists():
            lines.append(
                _link("admin:sync_event_changelist", term, _("There are webhooks about it: see them."))
            )
    return lines or [
        _(
            "No webhook about it was accepted in the last %(days)s days. Look in the portal whether the "
            "robot or the outbound webhook is set up, with the address that the portal's page here names "
            "and its token. Refused webhooks stand in the log of the service."
        )
        % {"days": settings.RETENTION_DAYS}
    ]


def _link(screen: str, term: str, text: str) -> str:
    return format_html('<a href="{}?{}">{}</a>', reverse(screen), urlencode({"q": term}), text)
