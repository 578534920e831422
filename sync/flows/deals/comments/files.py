"""Files of a comment: found on the source portal's Disk, fetched one by one, handed over with the comment.

A file that cannot be had stays behind with a warning; the comment's words count it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings

from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.downloads import DOWNLOAD
from sync.connectors.types import Command, File
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.comments.copies import Direction
from sync.flows.deals.options import options_of
from sync.models import Attachment, Job

FIELD = "comment"
"""The attachments' name for it, and the link's, which keeps the IDs of the files that its copy has."""


def wanted(job: Job, comment: crm.Comment, *, known: bool) -> list[str]:
    """Files still to fetch: none where the route carries none, nor for a comment whose copy stands."""
    carries = options_of(job.route).carry.files
    return list(comment.file_ids) if carries and not known else []


def following(way: Direction, content: dict[str, Any]) -> Next:
    """The next file, or the writing."""
    if content.get("to_fetch"):
        return Next(way.step("find_file"))
    return writing(way, content)


def writing(way: Direction, content: dict[str, Any], *, keeps_attempts: bool = False) -> Next:
    """With files a comment goes alone in its request."""
    name = "write_files" if content.get("files") else "write_comment"
    return Next(way.step(name), keeps_attempts=keeps_attempts)


def files_for(job: Job, content: dict[str, Any]) -> list[File]:
    """The fetched files in the comment's order."""
    here = {row.file_id: row for row in Attachment.objects.filter(job=job, field=FIELD)}
    rows = [here[file_id] for file_id in content.get("files", [])]
    return [File(name=row.name, content=row.read()) for row in rows]


def find(way: Direction, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """Where the next file can be downloaded."""
    content = parcel.data[jobs[0].pk]
    return crm.disk_file(content["to_fetch"][0]) if content.get("to_fetch") else following(way, content)


def found(way: Direction, parcel: Parcel, job: Job, path: str) -> Outcome:
    """Its link; without one it stays behind."""
    content = parcel.data[job.pk]
    if not path:
        return _left_behind(way, parcel, job)
    parcel.pack(job, {**content, "path": path})
    return Next(way.step("load_file"))


def load(_: Direction, parcel: Parcel, jobs: list[Job]) -> Command:
    """The file itself."""
    return crm.download(parcel.data[jobs[0].pk]["path"], max_bytes=settings.MAX_FILE_BYTES)


def loaded(way: Direction, parcel: Parcel, job: Job, file: File) -> Outcome:
    """Keep it until all are here."""
    content = parcel.data[job.pk]
    file_id, *others = content["to_fetch"]
    Attachment.store(job, field=FIELD, file_id=file_id, name=file.name, content=file.content)
    content = {**content, "to_fetch": others, "files": [*content.get("files", []), file_id]}
    parcel.pack(job, content)
    return following(way, content)


def leave(way: Direction, parcel: Parcel, jobs: list[Job]) -> Outcome:
    """It cannot be had: the comment goes without it."""
    return _left_behind(way, parcel, jobs[0])


def _left_behind(way: Direction, parcel: Parcel, job: Job) -> Outcome:
    content = {**parcel.data[job.pk]}
    content["to_fetch"] = content["to_fetch"][1:]
    parcel.pack(job, content)
    return following(way, content)


def steps(way: Direction) -> dict[str, Step]:
    """Finding, loading, leaving, in one direction."""
    reading = partial(Step, calls=way.reads, retry_from=way.step("read_comment"))
    return {
        way.step("find_file"): reading(
            method="disk.file.get",
            request=partial(find, way),
            read=crm.read_disk_path,
            on_response=partial(found, way),
            fallback_step=way.step("leave_file"),
            folds=True,
        ),
        way.step("load_file"): reading(
            method=DOWNLOAD,
            request=partial(load, way),
            on_response=partial(loaded, way),
            solo=True,
            fallback_step=way.step("leave_file"),
            folds=True,
        ),
        way.step("leave_file"): reading(
            method="disk.file.get",
            request=partial(leave, way),
            on_response=lambda *_: Next(way.step("read_comment")),
        ),
    }
