"""manage.py export_config [FILE] [--with-secrets]: portals and routes as a YAML file."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from sync.config import export
from sync.errors import ConfigRefused

OWNER_ONLY = 0o600


class Command(BaseCommand):
    """Writes what import_config reads."""

    help = "Write portals and routes as YAML, to FILE or to the screen."

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE and --with-secrets."""
        parser.add_argument("file", metavar="FILE", nargs="?")
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="write webhook addresses and tokens themselves instead of ${VARIABLES}",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Export."""
        try:
            text = export(with_secrets=options["with_secrets"])
        except ConfigRefused as error:
            raise CommandError(error.message) from error
        if options["file"]:
            _write(Path(options["file"]), text)
            self.stderr.write(_("Written: %(file)s") % {"file": options["file"]})
        else:
            self.stdout.write(text, ending="")


def _write(path: Path, text: str) -> None:
    """A new file is for its owner alone: it may hold secrets."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(
            _("%(file)s cannot be written: %(why)s") % {"file": path, "why": error.strerror}
        ) from error
