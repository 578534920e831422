"""`manage.py resync --route SLUG (--ids 1,2 | --since DATE | --all) [--dry-run]`: send records again.

The jobs are backfill: live jobs go first, and a record that has not changed since costs no write.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync import inbox
from sync.errors import SyncError
from sync.flows import FLOWS
from sync.gateway.listing import pages, patient_requester
from sync.management.arguments import find_route, parse_ids
from sync.management.progress import progress
from sync.models import Route

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended."""


class Command(BaseCommand):
    """Queues records of a route's source portal, whole pages at a time."""

    help = "Send records of a route's source portal again: named ones, those changed since a date, or all"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which route, which records."""
        parser.add_argument("--route", metavar="SLUG", required=True)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--ids", metavar="1,2,3", help="these records of the source portal")
        which.add_argument(
            "--since", metavar="DATE", help="changed since, e.g. 2026-01-31 or 2026-01-31T09:00"
        )
        which.add_argument("--all", action="store_true", help="every record the webhook's owner may see")
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue page after page; an interruption leaves whole pages queued."""
        route = find_route(options["route"])
        found = 0
        try:
            with progress(route.slug) as show:
                for ids in _wanted(route, options):
                    if not options["dry_run"]:
                        inbox.queue(route, ids)
                    found += len(ids)
                    show(found)
        except SyncError as error:
            raise CommandError(f"{error.message}\n{_result_text(found, options)}") from error
        except KeyboardInterrupt as stop:
            raise CommandError(
                _("Interrupted. ") + _result_text(found, options), returncode=INTERRUPTED
            ) from stop
        self.stdout.write(_result_text(found, options))


def _wanted(route: Route, options: dict[str, Any]) -> Iterator[list[str]]:
    if options["ids"] is not None:
        yield parse_ids(options["ids"])
        return
    listing = FLOWS[route.flow].listing
    if listing is None:
        raise CommandError(
            _("The flow %(flow)s cannot list its records; name them by --ids.") % {"flow": route.flow}
        )
    if route.source.is_paused:
        raise CommandError(
            _("Portal %(portal)s is paused: nothing is sent to it.") % {"portal": route.source.slug}
        )
    since = "" if options["all"] else _moment(options["since"]).isoformat()
    for seen in pages(listing, patient_requester(route.source), since=since):
        yield [one.id for one in seen]


def _moment(text: str) -> datetime:
    """Parse a date (its first moment in our time zone) or a date with a time."""
    try:
        moment = parse_datetime(text)
        day = parse_date(text) if moment is None else None
    except ValueError:  # looks like a date and is none: 2026-02-31
        moment = day = None
    if day is not None:
        moment = datetime(day.year, day.month, day.day)  # made aware below
    if moment is None:
        raise CommandError(
            _("%(text)s is not a date. Write 2026-01-31 or 2026-01-31T09:00.") % {"text": text}
        )
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    if moment > timezone.now():
        raise CommandError(_("%(text)s lies in the future.") % {"text": text})
    return moment


def _result_text(count: int, options: dict[str, Any]) -> str:
    if options["dry_run"]:
        return ngettext("%d record would be queued.", "%d records would be queued.", count) % count
    return ngettext("%d record is queued.", "%d records are queued.", count) % count
