"""The status of the queue as lines for a person."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sync.models import Job
from sync.status.forecast import Forecast
from sync.status.queue import JobCounts, PortalSummary, QueueStatus

MINUTE, HOUR, DAY = 60, 3600, 86400


def status_as_text(status: QueueStatus) -> str:
    """Two tables, routes and portals, and remarks on what needs a person."""
    lines = [*_table([_route_head(), *_route_rows(status)]), ""]
    lines += _table([_portal_head(), *(_portal_row(portal) for portal in status.portals)])
    lines += ["", *_remarks(status)]
    return "\n".join(lines).rstrip()


def duration(seconds: float) -> str:
    """A length of time in its two largest units: "3 d 4 h", "2 h 5 min", "40 s"."""
    left = round(seconds)
    for size, smaller, text in ((DAY, HOUR, _("%d d %d h")), (HOUR, MINUTE, _("%d h %d min"))):
        if left >= size:
            return text % (left // size, left % size // smaller)
    return _("%d min %d s") % divmod(left, MINUTE) if left >= MINUTE else _("%d s") % left


def _route_head() -> list[str]:
    states = [str(state.label) for state in Job.State]
    return [_("route"), *states, pgettext("age of the oldest job", "oldest"), _("through in")]


def _route_rows(status: QueueStatus) -> Iterator[list[str]]:
    for route in status.routes:
        yield _row(route.slug, route.counts, route.forecast)
    if len(status.routes) != 1:
        yield _row(_("all"), status.counts, status.forecast)


def _row(name: str, counts: JobCounts, forecast: Forecast) -> list[str]:
    through = "?" if forecast.seconds is None else duration(forecast.seconds)
    return [name, *(str(count) for count in counts.jobs.values()), duration(counts.oldest), through]


def _portal_head() -> list[str]:
    return [_("portal"), _("state"), _("requests a minute"), _("requests to go"), _("next one in")]


def _portal_row(portal: PortalSummary) -> list[str]:
    words = {"answers": _("answers"), "away": _("away"), "paused": _("paused")}
    numbers = [str(portal.requests_per_minute), str(portal.requests_left)]
    return [portal.slug, words[portal.state], *numbers, duration(portal.next_request)]


def _remarks(status: QueueStatus) -> Iterator[str]:
    if status.counts.unsorted:
        yield _("%d webhooks are stored but not sorted into jobs yet.") % status.counts.unsorted
    if status.unsent:
        yield _("%d messages about leads wait to be sent; `manage.py doctor` tells why.") % status.unsent
    for route in status.routes:
        if route.forecast.reason:
            yield f"{route.slug}: {route.forecast.reason}"
        labels = [f"{word} {count}" for word, count in sorted(route.counts.failures.items())]
        if labels:
            yield _("%(route)s: failed: %(words)s. `manage.py retry --route %(route)s` sends them again.") % {
                "route": route.slug,
                "words": ", ".join(labels),
            }
    for portal in status.portals:
        for method, wait in portal.blocked.items():
            yield _("%(portal)s: the time budget of %(method)s is spent; free in %(wait)s.") % {
                "portal": portal.slug,
                "method": method,
                "wait": duration(wait),
            }


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with aligned columns: names to the left, numbers to the right."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
