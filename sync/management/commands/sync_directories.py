"""`manage.py sync_directories [city object …] [--webhook-url URL] [--dry-run] [--verbose] [--json]`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from sync import engine
from sync.config.secrets import address_of
from sync.maintenance import directory_runs
from sync.management.progress import progress
from sync.models import Directory, DirectoryRun, Job, Portal, Route
from sync.models.directory import COUNTS

PATIENCE = 900.0
"""Seconds without any progress after which the command leaves the rest to the workers."""

DRAIN_SECONDS = 2.0
POLL_SECONDS = 0.2
INTERRUPTED = 130


class Command(BaseCommand):
    """Reads directories now: in this process, and with the workers where there are any."""

    help = "Read reference data of a portal into its tables: the named directories, or all"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which directories, by which webhook, and whether to write."""
        parser.add_argument("directories", nargs="*", metavar="DIRECTORY", help="e.g. city object user")
        parser.add_argument("--webhook-url", metavar="URL", help="read by this incoming webhook this time")
        parser.add_argument("--dry-run", action="store_true", help="show the differences, write nothing")
        parser.add_argument("--verbose", action="store_true", help="show what happened to each record")
        parser.add_argument("--json", action="store_true", help="the result for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue the runs, work until all have ended, print the result; fail when a directory was not read."""
        chosen = _chosen(options["directories"])
        if options["dry_run"] and directory_runs.open_jobs(chosen):
            raise CommandError(
                _("These directories are being read just now; do the dry run when that is over.")
            )
        route = _route(options["webhook_url"])
        _refuse_paused(chosen, route)
        ids = directory_runs.refresh(chosen, route=route, is_dry_run=options["dry_run"])
        try:
            with progress(_("directories")) as show:
                _work_off(ids, show)
        except KeyboardInterrupt as stop:
            raise CommandError(_("Interrupted; the workers go on."), returncode=INTERRUPTED) from stop
        runs = list(
            DirectoryRun.objects.filter(job__in=ids).select_related("directory", "job").order_by("job_id")
        )
        self.stdout.write(_as_json(runs) if options["json"] else _as_table(runs))
        if not options["json"] and (options["verbose"] or options["dry_run"]):
            for line in _records(runs):
                self.stdout.write(line)
        if options["dry_run"] and not options["json"]:
            self.stdout.write(_("This was a dry run: nothing was changed."))
        if len(runs) < len(ids) or not all(run.finished_at for run in runs):
            raise CommandError(_("Not every directory was read."))


def _chosen(slugs: list[str]) -> list[Directory]:
    rows = Directory.objects.select_related("route__source", "parent")
    known = list(rows.values_list("slug", flat=True))
    if not known:
        raise CommandError(
            _("There are no directories yet. Make them in the admin, or: manage.py import_config %(file)s")
            % {"file": "examples/directories.yaml"}
        )
    if unknown := [slug for slug in slugs if slug not in known]:
        raise CommandError(
            _("There is no directory %(unknown)s. There are: %(known)s.")
            % {"unknown": ", ".join(unknown), "known": ", ".join(known)}
        )
    return list(rows.filter(slug__in=slugs) if slugs else rows.filter(is_paused=False))


def _route(url: str | None) -> Route | None:
    if not url:
        return None
    try:
        return directory_runs.route_by(address_of("bitrix24", url))
    except ValueError as error:
        raise CommandError(f"--webhook-url: {error}") from error


def _refuse_paused(chosen: list[Directory], route: Route | None) -> None:
    for one in [route] if route else [directory.route for directory in chosen]:
        if one.is_paused or one.source.is_paused:
            raise CommandError(_("Route %(route)s or its portal is paused.") % {"route": one.slug})


def _work_off(ids: list[int], show: Callable[[int], None]) -> None:
    """Send requests as a worker does, within the portals' pace, until the jobs have ended."""
    portals = list(Portal.objects.filter(jobs__in=ids).distinct().values_list("pk", flat=True))
    moved_at, last = time.monotonic(), (-1, -1)
    while Job.objects.filter(pk__in=ids, state__in=Job.OPEN).exists():
        engine.return_expired()  # slots of a worker that died; perhaps no worker runs that would sweep
        sent = sum(engine.drain(portal_id, seconds=DRAIN_SECONDS) for portal_id in portals)
        read = sum(DirectoryRun.objects.filter(job__in=ids).values_list("read", flat=True))
        show(read)
        now = (read, Job.objects.filter(pk__in=ids, state__in=Job.OPEN).count())
        if now != last:
            moved_at, last = time.monotonic(), now
        if time.monotonic() - moved_at > PATIENCE:
            notes = Job.objects.filter(pk__in=ids, state__in=Job.OPEN).values_list("note", flat=True)
            raise CommandError(_("Nothing moves; the workers go on. %s") % " ".join(filter(None, notes)))
        time.sleep(0 if sent else POLL_SECONDS)


def _state(run: DirectoryRun) -> str:
    if run.finished_at:
        return "done"
    return "held" if run.is_held else str(run.job.state if run.job else "lost")


def _note(run: DirectoryRun) -> str:
    return run.note or ("" if run.finished_at or run.job is None else run.job.note)


def _as_table(runs: list[DirectoryRun]) -> str:
    counts = [str(DirectoryRun._meta.get_field(name).verbose_name) for name in COUNTS]  # type: ignore[union-attr]
    head = ["", _("state"), *counts]
    rows = [[run.directory.slug, _state(run), *map(str, run.counts.values())] for run in runs]
    widths = [max(len(row[number]) for row in [head, *rows]) for number in range(len(head))]
    lines = []
    for row in [head, *rows]:
        texts = [cell.ljust(width) for cell, width in zip(row[:2], widths, strict=False)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join([*texts, *numbers]))
    lines += [f"{run.directory.slug}: {_note(run)}" for run in runs if _note(run)]
    return "\n".join(lines)


def _records(runs: list[DirectoryRun]) -> list[str]:
    return [
        f"{run.directory.slug} {note.btxid}  {note.outcome}  {note.text}"
        for run in runs
        for note in run.notes.all()
    ]


def _as_json(runs: list[DirectoryRun]) -> str:
    directories = {
        run.directory.slug: {
            "state": _state(run),
            **run.counts,
            "note": _note(run),
            "records": [
                {"id": note.btxid, "outcome": note.outcome, "what": note.text} for note in run.notes.all()
            ],
        }
        for run in runs
    }
    return json.dumps({"directories": directories}, ensure_ascii=False, indent=2)
