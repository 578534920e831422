"""Reading a directory: the first page tells how many there are, the others come packed into requests.

What is read waits in small rows until all of it is there: the table is written whole or not at all.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24.directories import PAGE, labels, read_labels
from sync.connectors.types import Answer, Command
from sync.errors import Refused
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.directories import paging
from sync.flows.directories.extracting import Shape, source_of
from sync.flows.directories.paging import Progress
from sync.models import DirectoryPage, DirectoryRun, Job


def open_runs(parcel: Parcel) -> None:
    """The runs of the parcel's jobs, made where they are missing."""
    parcel.found.update(DirectoryRun.of(parcel.jobs))


def begin(parcel: Parcel) -> None:
    """Open the runs and forget what an earlier try has read."""
    open_runs(parcel)
    DirectoryPage.objects.filter(job__in=parcel.jobs).delete()


def run_of(parcel: Parcel, job: Job) -> DirectoryRun:
    """The job's run; Refused when its directory is no more."""
    run: DirectoryRun | None = parcel.found.get(job.pk)
    if run is None:
        raise Refused(_("There is no directory %(slug)s any more.") % {"slug": job.source_id})
    return run


def request_first(parcel: Parcel, jobs: list[Job]) -> tuple[Command, ...]:
    """The texts of choices, where they are wanted, and the first page if there is room for both."""
    job, directory = jobs[0], run_of(parcel, jobs[0]).directory
    first = paging.first_command(source_of(directory), directory.params)
    if _labels(parcel, job) is not None or not Shape.of(directory).needs_labels:
        return (first,)
    wanted = labels(directory.params)
    return (wanted, first) if parcel.room >= 2 * len(parcel.jobs) else (wanted,)


def on_first_response(parcel: Parcel, job: Job, answers: list[Answer]) -> Outcome:
    """How much there is to read."""
    directory = run_of(parcel, job).directory
    progress = Progress(labels=_labels(parcel, job), again=_begun(parcel, job).get("again", 0))
    if progress.labels is None and Shape.of(directory).needs_labels:
        progress.labels = read_labels(answers[0].result())
        answers = answers[1:]
    if not answers:
        parcel.pack(job, {"labels": progress.labels, "again": progress.again})
        return Next("read")
    rows = paging.after_first(progress, source_of(directory), answers[0], directory.params)
    return _go_on(parcel, job, progress, rows)


def request_pages(parcel: Parcel, jobs: list[Job]) -> tuple[Command, ...]:
    """As many pages as this directory may have of the request."""
    job, directory = jobs[0], run_of(parcel, jobs[0]).directory
    room = _share(parcel, job)
    return paging.next_commands(_progress(parcel, job), source_of(directory), directory.params, room)


def on_pages_response(parcel: Parcel, job: Job, answers: list[Answer]) -> Outcome:
    """Keep what came; go on until all is there."""
    directory, progress = run_of(parcel, job).directory, _progress(parcel, job)
    rows = paging.after_next(progress, source_of(directory), answers, directory.params)
    return _go_on(parcel, job, progress, rows)


def _go_on(parcel: Parcel, job: Job, progress: Progress, rows: list[Any]) -> Outcome:
    if paging.must_begin_anew(progress):
        parcel.pack(job, {"labels": progress.labels, "again": progress.again + 1})
        return Next("read", note=_("The list changed while it was read; it is read again."))
    run, shape = run_of(parcel, job), Shape.of(run_of(parcel, job).directory)
    records = [shape.record(row, progress.labels or {}).packed() for row in rows]
    chunks = [records[start : start + PAGE] for start in range(0, len(records), PAGE)]
    DirectoryPage.objects.bulk_create([DirectoryPage(job=job, records=chunk) for chunk in chunks])
    run.read, run.expected = progress.rows, progress.total
    run.save(update_fields=["read", "expected"])
    parcel.pack(job, progress.packed())
    return Next("write" if paging.is_through(progress) else "pages")


def _share(parcel: Parcel, job: Job) -> int:
    """Commands for this job: one each, the rest in the order of the jobs to those who have pages left."""
    left = parcel.room - len(parcel.jobs)
    for one in parcel.jobs:
        more = min(left, max(0, _progress(parcel, one).pages_left() - 1))
        if one.pk == job.pk:
            return 1 + more
        left -= more
    return 1


def _progress(parcel: Parcel, job: Job) -> Progress:
    return Progress(**_data(parcel, job))


def _data(parcel: Parcel, job: Job) -> dict[str, Any]:
    data: dict[str, Any] = parcel.data.get(job.pk, {})
    return data


def _begun(parcel: Parcel, job: Job) -> dict[str, Any]:
    """What this reading knows before its first page; nothing of an earlier one that staff sent again."""
    data = _data(parcel, job)
    return {} if "start" in data else data


def _labels(parcel: Parcel, job: Job) -> dict[str, dict[str, str]] | None:
    labels: dict[str, dict[str, str]] | None = _begun(parcel, job).get("labels")
    return labels


STEPS = {
    "read": Step(
        label=gettext_lazy("reading the directory"),
        calls="source",
        method="lists.element.get",
        prepare=begin,
        request=request_first,
        on_response=on_first_response,
    ),
    "pages": Step(
        label=gettext_lazy("reading the directory's pages"),
        calls="source",
        method="lists.element.get",
        prepare=open_runs,
        request=request_pages,
        on_response=on_pages_response,
        retry_from="read",
    ),
}
