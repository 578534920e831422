"""Writing a directory: all that was read, compared with the table and written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, DataError, IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.errors import NeedsStaff, NotYet, TryLater
from sync.flows.contract import Done, Outcome, Parcel, Step
from sync.flows.directories.comparing import Comparison, Plan
from sync.flows.directories.extracting import Record
from sync.flows.directories.reading import open_runs, run_of
from sync.models import Directory, DirectoryPage, DirectoryRun, Job

KIND = "directory"
PARENT_WAIT = 1.0
PAGES_AT_ONCE = 20
"""Twenty pages are a thousand records: what one look-up takes."""


def write(parcel: Parcel, jobs: list[Job]) -> Outcome:
    """The last step needs no request: compare, hold back what looks wrong, write."""
    job, run = jobs[0], run_of(parcel, jobs[0])
    if run.finished_at is None:
        _wait_for_parent(run.directory)
        try:
            _bring(run, job, is_shaky=bool(parcel.data.get(job.pk, {}).get("is_shaky")))
        except DatabaseError as error:
            words = {"slug": run.directory.slug, "error": error}
            raise TryLater(_("%(slug)s: the database of the directories: %(error)s") % words) from error
    DirectoryPage.objects.filter(job=job).delete()
    return Done(note=run.summary)


def _wait_for_parent(directory: Directory) -> None:
    parent = directory.parent
    if parent and Job.objects.filter(kind=KIND, source_id=parent.slug, state__in=Job.OPEN).exists():
        words = {"slug": directory.slug, "parent": parent.slug}
        raise NotYet(_("%(slug)s waits until %(parent)s is written.") % words, after=PARENT_WAIT)


def _bring(run: DirectoryRun, job: Job, *, is_shaky: bool) -> None:
    """Look first, without a lock: most runs find little to write, many nothing."""
    look = Comparison.of(run.directory, is_dry_run=run.is_dry_run)
    for records in _records(job):
        look.plan(records)
    _hold_back(run, look)
    if not is_shaky:
        _mark_gone(look, lambda _: None)
    run.note = _("The list changed each time it was read: nothing was marked as gone.") if is_shaky else ""
    if run.is_dry_run or not look.counts.changes:
        _close(run, look, notes=("created", "updated", "adopted", "gone", "errors"))
        return
    with transaction.atomic(using=settings.DIRECTORIES_ALIAS):
        pass_ = Comparison.of(run.directory)
        _write_all(pass_, job, is_shaky=is_shaky)
        if settings.DIRECTORIES_ALIAS == DEFAULT_DB_ALIAS:
            _close(run, pass_)
    if settings.DIRECTORIES_ALIAS != DEFAULT_DB_ALIAS:  # never says "done" before the other database does
        _close(run, pass_)


def _write_all(comparison: Comparison, job: Job, *, is_shaky: bool) -> None:
    for records in _records(job):
        _apply(comparison, comparison.plan(records))
    if not is_shaky:
        _mark_gone(comparison, comparison.table.update)


def _records(job: Job) -> Iterator[list[Record]]:
    """What was read, a thousand records at a time."""
    last = 0
    while True:
        rows = DirectoryPage.objects.filter(job=job, pk__gt=last).order_by("pk")[:PAGES_AT_ONCE]
        pages = list(rows.values_list("pk", "records"))
        if not pages:
            return
        last = pages[-1][0]
        yield [Record(**{"key": "", **packed}) for _pk, page in pages for packed in page]


def _hold_back(run: DirectoryRun, look: Comparison) -> None:
    """A source that shows nothing, or far fewer records than we have, is more likely broken than empty."""
    seen, before = len(look.counts.seen), look.table.count()
    is_few = before and (seen == 0 or seen < before * run.directory.least_share)
    if not is_few or run.is_approved or run.is_dry_run:
        return
    words = {"seen": seen, "before": before}
    run.held_why = _("The source shows %(seen)s records, the table has %(before)s.") % words
    run.save(update_fields=["held_why"])
    raise NeedsStaff(
        _(
            "%(slug)s: %(why)s Nothing was changed. Look at the list and at the rights of the webhook's "
            "owner; press “Apply all the same” on the run if that is right, or Retry to read again."
        )
        % {"slug": run.directory.slug, "why": run.held_why}
    )


def _mark_gone(comparison: Comparison, update: Callable[[dict[Any, Any]], None]) -> None:
    table = comparison.table
    for present in table.present():
        missing = comparison.missing(present)
        for _pk, key in missing:
            comparison.counts.note("gone", key, _("no longer in the source"))
        if missing and table.gone:
            update({pk: {table.gone: table.gone_mark()} for pk, _key in missing})


def _apply(comparison: Comparison, plan: Plan) -> None:
    """Write in bulk; where the database refuses, record by record, so that only the bad ones stay out."""
    table = comparison.table
    _all_or_each(
        comparison,
        [(record, row, "created") for record, row in plan.inserts],
        table.insert,
    )
    outcome = {pk: "adopted" if pk in comparison.adopted else "updated" for pk in plan.updates}
    _all_or_each(
        comparison,
        [(record, (pk, values), outcome[pk]) for pk, (record, values) in plan.updates.items()],
        lambda pairs: table.update(dict(pairs)),
    )


def _all_or_each(
    comparison: Comparison, works: Sequence[tuple[Record, Any, str]], write_rows: Callable[[list[Any]], None]
) -> None:
    if not works:
        return
    try:
        with transaction.atomic(using=comparison.table.alias):
            write_rows([row for _record, row, _outcome in works])
    except (DataError, IntegrityError):
        for record, row, outcome in works:
            _each(comparison, record, outcome, lambda row=row: write_rows([row]))  # type: ignore[misc]


def _each(comparison: Comparison, record: Record, outcome: str, write_row: Callable[[], None]) -> None:
    try:
        with transaction.atomic(using=comparison.table.alias):
            write_row()
    except (DataError, IntegrityError) as error:
        comparison.counts.counts[outcome] -= 1
        message = _("The database refused it: %(error)s") % {"error": error}
        comparison.counts.note("errors", record.key, message)


def _close(
    run: DirectoryRun, comparison: Comparison, notes: Sequence[str] = ("updated", "adopted", "gone", "errors")
) -> None:
    run.finished_at = timezone.now()
    comparison.counts.store(run, notes)


STEPS = {
    "write": Step(
        label=gettext_lazy("writing the table"),
        calls="source",
        method="",
        prepare=open_runs,
        request=write,
        on_response=lambda _parcel, _job, _answer: Done(),
        solo=True,
        retry_from="read",
    ),
}
