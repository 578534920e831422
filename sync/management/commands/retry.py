"""`manage.py retry [--route SLUG] [--failure WORD] [--ids 1,2] [--dry-run]`: send failed jobs again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.management.arguments import find_route, parse_ids
from sync.models import Job
from sync.models.job_queryset import JobQuerySet
from sync.queue import wakeup


class Command(BaseCommand):
    """Queues failed jobs again, each at the step where it stopped."""

    help = "Send failed jobs again, each from the step where it stopped"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which jobs; all failed ones by default."""
        words = ", ".join(Job.Failure.values)
        parser.add_argument("--route", metavar="SLUG", help="only of this route")
        parser.add_argument(
            "--failure", metavar="WORD", help=f"only those that failed for this reason: {words}"
        )
        parser.add_argument("--ids", metavar="1,2,3", help="only of these records of the source portal")
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count by route and reason, requeue, and wake the workers."""
        failed = _chosen(options)
        counts = failed.order_by("route__slug", "failure").values_list("route__slug", "failure")
        rows = list(counts.annotate(Count("pk")))
        for route, word, count in rows:
            self.stdout.write(f"{route}  {word}  {count}")
        if options["dry_run"]:
            count = sum(count for *_names, count in rows)
            text = ngettext("%d job would be sent again.", "%d jobs would be sent again.", count)
            self.stdout.write(text % count)
            return
        portals = list(failed.order_by().values_list("portal_id", flat=True).distinct())
        count = failed.requeue(now=timezone.now())
        for portal_id in portals:
            wakeup.wake(portal_id)
        self.stdout.write(ngettext("%d job waits again.", "%d jobs wait again.", count) % count)


def _chosen(options: dict[str, Any]) -> JobQuerySet[Job]:
    word = options["failure"]
    if word is not None and word not in Job.Failure.values:
        raise CommandError(
            _("%(word)s is not a reason of failure. There are: %(known)s.")
            % {"word": word, "known": ", ".join(Job.Failure.values)}
        )
    failed = Job.objects.filter(state=Job.State.FAILED)
    if options["route"]:
        failed = failed.filter(route=find_route(options["route"]))
    if word:
        failed = failed.filter(failure=word)
    if options["ids"] is not None:
        failed = failed.filter(source_id__in=parse_ids(options["ids"]))
    return failed
