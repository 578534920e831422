"""`manage.py queue [--json] [--route SLUG]`: what waits, since when, until when, and what keeps it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from sync.status import as_json, as_text, queue_status


class Command(BaseCommand):
    """Prints the status of the queue, as tables or as JSON."""

    help = "How the queue stands: jobs by state, the oldest that waits, and when all will be through"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which form, which route."""
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--route", metavar="SLUG", default="", help="only this route and its portals")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count once and print."""
        status = queue_status()
        if wanted := options["route"]:
            known = [route.slug for route in status.routes]
            if wanted not in known:
                raise CommandError(
                    _("There is no route %(route)s. There are: %(known)s.")
                    % {"route": wanted, "known": ", ".join(known) or "-"}
                )
            status = status.only(wanted)
        as_told = (
            json.dumps(as_json(status), ensure_ascii=False, indent=2) if options["json"] else as_text(status)
        )
        self.stdout.write(as_told)
