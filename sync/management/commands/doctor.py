"""`manage.py doctor [--json]`: is the installation well, and what to do about what is not."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from sync.doctor import examine, finding_as_text, findings_as_json


class Command(BaseCommand):
    """Examines settings, database, queue, workers, portals and routes; exit code 1 when there is a fault."""

    help = "Examine settings, database, queue, workers, portals and routes, and say what to do"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Text or JSON."""
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each finding when it is made, and in the end how many need a person."""
        findings = []
        for finding in examine(waiting=self._waiting):
            findings.append(finding)
            if not options["json"]:
                self.stdout.write(finding_as_text(finding))
        report = findings_as_json(findings)
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(_("%(faults)d faults, %(warnings)d warnings.") % report)
        if report["faults"]:
            sys.exit(1)

    def _waiting(self, portal: str, seconds: float) -> None:
        self.stderr.write(
            _("%(portal)s: waiting %(wait).0f s for its limit …") % {"portal": portal, "wait": seconds}
        )
