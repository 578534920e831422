"""`manage.py queue [--json] [--route SLUG]`: what waits, since when, until when, and why."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from sync.status import queue_status, status_as_json, status_as_text


class Command(BaseCommand):
    """Prints the status of the queue, as tables or as JSON."""

    help = "The status of the queue: jobs by state, the oldest that waits, and when all will be done"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Text or JSON, and which route."""
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
        if options["json"]:
            self.stdout.write(json.dumps(status_as_json(status), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(status_as_text(status))
