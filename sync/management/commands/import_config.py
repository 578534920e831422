"""manage.py import_config FILE [--dry-run]: portals and routes from a YAML file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from sync.config import apply, load
from sync.errors import ConfigRefused


class Command(BaseCommand):
    """Reads the file, applies it whole or not at all, and prints what that changed."""

    help = "Create and update portals and routes from a YAML file; nothing is changed when anything is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE and --dry-run."""
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import; exits with all mistakes when there are any."""
        name = options["file"]
        try:
            report = apply(load(_content(name), name), dry_run=options["dry_run"])
        except ConfigRefused as error:
            raise CommandError(error.message + "\n" + _("Nothing was changed.")) from error
        for line in report.lines():
            self.stdout.write(line)


def _content(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(
            _("%(file)s cannot be read: %(why)s") % {"file": name, "why": error.strerror}
        ) from error
    except UnicodeDecodeError as error:
        raise CommandError(_("%(file)s is not text in UTF-8.") % {"file": name}) from error
