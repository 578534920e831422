"""Points in time: as text for staff, and as bounds of a query."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

ID_SLACK = 1000
"""Rows that came in together may be stored a little out of order, so a bound is taken so many IDs lower."""


def exact(moment: datetime | None) -> str:
    """Date and time with seconds, in the service's time zone."""
    return timezone.localtime(moment).strftime("%d.%m.%Y %H:%M:%S") if moment else "—"


def ago(moment: datetime | None, now: datetime | None = None) -> SafeString | str:
    """How long ago or in how long; the exact time is shown on hover."""
    if moment is None:
        return "—"
    now = now or timezone.now()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), in_words(moment, now)
    )


def in_words(moment: datetime, now: datetime) -> str:
    """ "5 minutes ago", "in 2 hours", "just now"; days and more as a date."""
    gap = moment - now
    if abs(gap) < timedelta(minutes=1):
        return _("now")
    if abs(gap) > timedelta(days=7):
        return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
    if gap > timedelta():
        return _("in %(time)s") % {"time": _length(gap)}
    return _("%(time)s ago") % {"time": _length(-gap)}


def _length(gap: timedelta) -> str:
    """Whole days, hours or minutes, in the grammatical case that Russian needs after "in" and before "ago";
    Django's own texts have another.
    """
    if days := gap // timedelta(days=1):
        return ngettext("%d day", "%d days", days) % days
    if hours := gap // timedelta(hours=1):
        return ngettext("%d hour", "%d hours", hours) % hours
    minutes = gap // timedelta(minutes=1)
    return ngettext("%d minute", "%d minutes", minutes) % minutes


def rows_since(rows: QuerySet[Any], column: str, moment: datetime) -> QuerySet[Any]:
    """Rows whose `column`, which grows with the ID, is not before `moment`; no index on the column is needed.

    The first such ID is found by binary search: some twenty look-ups of one row.
    """
    table = rows.model._default_manager.order_by("pk").values_list("pk", column)
    first, last = table.first(), table.last()  # asked for both at once, SQLite reads the whole table
    low, high = (first[0], last[0] + 1) if first and last else (0, 0)
    while low < high:
        middle = (low + high) // 2
        row = table.filter(pk__gte=middle).first()
        if row is None or row[1] >= moment:
            high = middle
        else:
            low = row[0] + 1
    return rows.filter(**{"pk__gte": low - ID_SLACK, f"{column}__gte": moment})
