"""`manage.py prune [--days N] [--dry-run]`: delete history older than RETENTION_DAYS."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.maintenance import retention
from sync.management.progress import progress

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended."""


class Command(BaseCommand):
    """Deletes ended jobs and sorted events; open work and deal mappings stay, however old."""

    help = "Delete ended jobs and sorted events older than RETENTION_DAYS; open work and deal mappings stay"

    def add_arguments(self, parser: CommandParser) -> None:
        """The age of what is deleted, and whether to delete at all."""
        parser.add_argument(
            "--days", type=int, default=settings.RETENTION_DAYS, help="older than so many days"
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete a thousand rows at a time; an interruption keeps what was done so far."""
        days = options["days"]
        if days < 1:
            raise CommandError(_("--days is a whole number from 1 on."))
        count = retention.prunable(days=days)
        if options["dry_run"]:
            self.stdout.write(
                ngettext("%d row would be deleted.", "%d rows would be deleted.", count) % count
            )
            return
        try:
            with progress("prune", total=count) as show:
                count = retention.prune(days=days, progress=show)
        except KeyboardInterrupt as stop:
            raise CommandError(_("Interrupted. The rest goes next time."), returncode=INTERRUPTED) from stop
        self.stdout.write(ngettext("%d row is deleted.", "%d rows are deleted.", count) % count)
