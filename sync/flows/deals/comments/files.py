"""Files of a comment: found on the source portal's Disk, fetched one by one, handed over with the comment.

A file that cannot be had stays behind with a warning; the comment's words count it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from django.conf import settings
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.downloads import DOWNLOAD
from sync.connectors.types import Command, File
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.comments.copies import CommentDirection
from sync.flows.deals.comments.data import CommentData
from sync.flows.deals.options import options_of
from sync.models import Attachment, Job

FIELD = "comment"
"""The attachments' name for it, and the link's, which keeps the IDs of the files that its copy has."""


def files_to_fetch(parcel: Parcel, job: Job, comment: crm.Comment, *, known: bool) -> list[str]:
    """Files still to fetch: none where the route carries none, nor for a comment whose copy stands."""
    carries = options_of(parcel, job).carry.files
    return list(comment.file_ids) if carries and not known else []


def next_file(direction: CommentDirection, comment: CommentData) -> Next:
    """The next file, or the writing."""
    return Next(direction.step("find_file")) if comment.to_fetch else step_that_writes(direction, comment)


def step_that_writes(
    direction: CommentDirection, comment: CommentData, *, keeps_attempts: bool = False
) -> Next:
    """With files a comment goes alone in its request."""
    name = "write_files" if comment.files else "write_comment"
    return Next(direction.step(name), keeps_attempts=keeps_attempts)


def fetched_files(job: Job, comment: CommentData) -> list[File]:
    """The fetched files in the comment's order."""
    here = {row.file_id: row for row in Attachment.objects.filter(job=job, field=FIELD)}
    rows = [here[file_id] for file_id in comment.files]
    return [File(name=row.name, content=row.read()) for row in rows]


def find_file(direction: CommentDirection, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """Where the next file can be downloaded."""
    comment = parcel.unpack(jobs[0], CommentData)
    return crm.disk_file(comment.to_fetch[0]) if comment.to_fetch else next_file(direction, comment)


def file_found(direction: CommentDirection, parcel: Parcel, job: Job, path: str) -> Outcome:
    """Its link; without one it stays behind."""
    if not path:
        return _without_file(direction, parcel, job)
    parcel.pack(job, replace(parcel.unpack(job, CommentData), path=path))
    return Next(direction.step("load_file"))


def load_file(_: CommentDirection, parcel: Parcel, jobs: list[Job]) -> Command:
    """The file itself."""
    return crm.download(parcel.unpack(jobs[0], CommentData).path, max_bytes=settings.MAX_FILE_BYTES)


def file_loaded(direction: CommentDirection, parcel: Parcel, job: Job, file: File) -> Outcome:
    """Keep it until all are here."""
    comment = parcel.unpack(job, CommentData)
    file_id, *others = comment.to_fetch
    Attachment.store(job, field=FIELD, file_id=file_id, name=file.name, content=file.content)
    comment = replace(comment, to_fetch=others, files=[*comment.files, file_id], path="")
    parcel.pack(job, comment)
    return next_file(direction, comment)


def leave_file(direction: CommentDirection, parcel: Parcel, jobs: list[Job]) -> Outcome:
    """It cannot be had: the comment goes without it."""
    return _without_file(direction, parcel, jobs[0])


def _without_file(direction: CommentDirection, parcel: Parcel, job: Job) -> Outcome:
    comment = parcel.unpack(job, CommentData)
    comment = replace(comment, to_fetch=comment.to_fetch[1:], path="")
    parcel.pack(job, comment)
    return next_file(direction, comment)


def steps(direction: CommentDirection) -> dict[str, Step]:
    """Finding, loading, leaving, in one direction."""
    reading = partial(Step, calls=direction.reads, retry_from=direction.step("read_comment"))
    return {
        direction.step("find_file"): reading(
            label=gettext_lazy("looking for the comment's file"),
            method="disk.file.get",
            request=partial(find_file, direction),
            read=crm.read_disk_path,
            on_response=partial(file_found, direction),
            fallback_step=direction.step("leave_file"),
            folds=True,
        ),
        direction.step("load_file"): reading(
            label=gettext_lazy("downloading the comment's file"),
            method=DOWNLOAD,
            request=partial(load_file, direction),
            on_response=partial(file_loaded, direction),
            solo=True,
            fallback_step=direction.step("leave_file"),
            folds=True,
        ),
        direction.step("leave_file"): reading(
            label=gettext_lazy("going on without the comment's file"),
            method="disk.file.get",
            request=partial(leave_file, direction),
            on_response=lambda *_: Next(direction.step("read_comment")),
        ),
    }
