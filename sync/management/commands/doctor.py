"""`manage.py doctor [--json]`: is the installation well, and what to do about what is not."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from sync.doctor import as_json, as_text, examine


class Command(BaseCommand):
    """Examines settings, database, queue, workers, portals and routes; exit code 1 when there is a fault."""

    help = "Examine settings, database, queue, workers, portals and routes, and say what to do"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which form."""
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell findings as they come; in the end how many want a person."""
        findings = []
        for finding in examine(waiting=self._waiting):
            findings.append(finding)
            if not options["json"]:
                self.stdout.write(as_text(finding))
        message = as_json(findings)
        if options["json"]:
            self.stdout.write(json.dumps(message, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(_("%(faults)d faults, %(warnings)d warnings.") % message)
        if message["faults"]:
            sys.exit(1)

    def _waiting(self, portal: str, seconds: float) -> None:
        self.stderr.write(
            _("%(portal)s: waiting %(wait).0f s for its limit …") % {"portal": portal, "wait": seconds}
        )
