"""Writing a comment on the other card: once, however calls end; and keeping the copy up to date."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.errors import SyncError
from sync.flows.contract import Done, Next, Outcome, Parcel, Skip, Step
from sync.flows.deals.comments import files
from sync.flows.deals.comments.copies import FORWARD, Direction, bind
from sync.flows.deals.comments.text import composed, mark_of
from sync.flows.deals.options import options_of
from sync.models import Job, Link


def intend(way: Direction, parcel: Parcel) -> None:
    """Write the intent before the call: a Link with the hash of the words. `parcel.found`: job ID → Link."""
    before = _links(way, parcel)
    missing = [job for job in parcel.jobs if (job.route_id, job.source_id) not in before]
    Link.objects.bulk_create(
        (
            Link(
                route=job.route,
                entity=way.kind,
                source_id=job.source_id,
                params={"deal": parcel.data[job.pk]["card"]},
                content_hash=_mark(way, parcel, job),
            )
            for job in missing
        ),
        ignore_conflicts=True,
    )
    for job in missing:
        if not options_of(job.route).look_first:
            parcel.pack(job, {**parcel.data[job.pk], "is_new": True})
    after = _links(way, parcel)
    for job in parcel.jobs:
        link = parcel.found[job.pk] = after[job.route_id, job.source_id]
        if link.is_linked:  # its copy keeps the files it has
            parcel.data[job.pk]["files"] = link.files.get(files.FIELD, [])
        if parcel.data[job.pk].get("is_new") and not link.is_linked:
            link.content_hash = _mark(way, parcel, job)
            link.save(update_fields=["content_hash"])


def write(way: Direction, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """A new comment on the other card, unless it is there or may be."""
    job = jobs[0]
    link, content = parcel.found[job.pk], parcel.data[job.pk]
    if link.is_linked:
        return _brought_up_to_date(way, parcel, job)
    if not content.get("is_new"):  # an earlier call may have run
        return Next(way.step("seek_comment"))
    sent = files.files_for(job, content)
    return crm.comment_add(content["card"], _text(way, parcel, job), files=sent)


def was_written(way: Direction, parcel: Parcel, job: Job, comment_id: str) -> Outcome:
    """The copy stands."""
    link = parcel.found[job.pk]
    if bind(link, comment_id):
        _settle(way, parcel, job)
    return Done()


def seek(_: Direction, parcel: Parcel, jobs: list[Job]) -> Command:
    """The newest comments of the other card: did the lost call write ours?"""
    return crm.comments_of(parcel.data[jobs[0].pk]["card"])


def was_sought(way: Direction, parcel: Parcel, job: Job, comments: list[crm.Comment]) -> Outcome:
    """Adopt the copy, or write it when it is not there."""
    link = parcel.found[job.pk]
    if link.is_linked:
        return _brought_up_to_date(way, parcel, job)
    for comment in comments:
        if mark_of(comment.text) == link.content_hash and bind(link, comment.id):
            link.files = {files.FIELD: parcel.data[job.pk].get("files", [])}
            parcel.touch(link, "target_id", "state", "files")
            job.target_id = comment.id
            return _brought_up_to_date(way, parcel, job, is_news=True)
    parcel.pack(job, {**parcel.data[job.pk], "is_new": True})
    return files.writing(way, parcel.data[job.pk], keeps_attempts=True)


def edit(way: Direction, parcel: Parcel, jobs: list[Job]) -> Command:
    """The copy gets the present words."""
    return crm.comment_update(str(parcel.found[jobs[0].pk].target_id), _text(way, parcel, jobs[0]))


def was_edited(way: Direction, parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The copy has them."""
    _settle(way, parcel, job)
    return Done()


def copy_deleted(error: SyncError) -> Outcome | None:
    """Somebody did not want it on the other card."""
    return Skip(_("Its copy on the other card was deleted.")) if crm.is_gone(error) else None


def _brought_up_to_date(
    way: Direction, parcel: Parcel, job: Job, *, is_news: bool = False
) -> Next | Skip | Done:
    if parcel.found[job.pk].content_hash != _mark(way, parcel, job):
        return Next(way.step("edit_comment"))
    if is_news:
        return Done(_("The comment had been written although the answer was lost."))
    return Skip(_("The other card has this comment already."))


def _settle(way: Direction, parcel: Parcel, job: Job) -> None:
    link = parcel.found[job.pk]
    link.content_hash, link.params = _mark(way, parcel, job), {}
    link.files = {files.FIELD: parcel.data[job.pk].get("files", [])}
    job.target_id = link.target_id or ""
    parcel.touch(link, "target_id", "state", "content_hash", "params", "files")


def _links(way: Direction, parcel: Parcel) -> dict[tuple[int, str], Link]:
    return Link.by_source(((job.route_id, job.source_id) for job in parcel.jobs), entity=way.kind)


def _text(way: Direction, parcel: Parcel, job: Job) -> str:
    portal = job.route.source if way is FORWARD else job.route.target
    return composed(parcel.data[job.pk], portal=str(portal))


def _mark(way: Direction, parcel: Parcel, job: Job) -> str:
    return mark_of(_text(way, parcel, job))


def steps(way: Direction) -> dict[str, Step]:
    """Writing, seeking after a lost answer, changing, in one direction."""
    writing = partial(
        Step, calls=way.writes, prepare=partial(intend, way), retry_from=way.step("read_comment")
    )
    write_one = writing(
        method="crm.timeline.comment.add",
        request=partial(write, way),
        read=crm.read_added,
        on_response=partial(was_written, way),
        verify_step=way.step("seek_comment"),
        folds=True,
    )
    return {
        way.step("write_comment"): write_one,
        way.step("write_files"): replace(write_one, solo=True),
        way.step("seek_comment"): writing(
            method="crm.timeline.comment.list",
            request=partial(seek, way),
            read=crm.read_comments,
            on_response=partial(was_sought, way),
        ),
        way.step("edit_comment"): writing(
            method="crm.timeline.comment.update",
            request=partial(edit, way),
            on_response=partial(was_edited, way),
            ignore_error=copy_deleted,
            folds=True,
        ),
    }
