"""Writing a comment on the other card: once, however calls end; and keeping the copy up to date."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.errors import SyncError
from sync.flows.contract import Done, Next, Outcome, Parcel, Skip, Step
from sync.flows.deals.comments import files
from sync.flows.deals.comments.copies import FORWARD, CommentDirection, link_copy
from sync.flows.deals.comments.data import CommentData
from sync.flows.deals.comments.text import hash_of_text, text_of_copy
from sync.flows.deals.options import options_of
from sync.models import Job, Link


def intend(direction: CommentDirection, parcel: Parcel) -> None:
    """Write the intent before the call: a Link with the hash of the words. `parcel.found`: job ID → Link."""
    before = _links(direction, parcel)
    missing = [job for job in parcel.jobs if (job.route_id, job.source_id) not in before]
    intents = [
        Link(
            route_id=job.route_id,
            entity=direction.kind,
            source_id=job.source_id,
            card_id=parcel.unpack(job, CommentData).card,
            content_hash=_hash(direction, parcel, job),
        )
        for job in missing
    ]
    Link.intend(intents, now=parcel.now)
    for job in missing:
        if not options_of(parcel, job).look_first:
            parcel.pack(job, replace(parcel.unpack(job, CommentData), is_new=True))
    after = _links(direction, parcel)
    for job in parcel.jobs:
        comment = parcel.unpack(job, CommentData)
        link = parcel.found[job.pk] = after[job.route_id, job.source_id]
        if link.is_linked:  # its copy keeps the files it has
            comment.files = link.files.get(files.FIELD, [])
        if comment.is_new and not link.is_linked:
            link.content_hash = _hash(direction, parcel, job)
            link.save(update_fields=["content_hash"])


def write_comment(direction: CommentDirection, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """A new comment on the other card, unless it is there or may be."""
    job = jobs[0]
    link, comment = parcel.found[job.pk], parcel.unpack(job, CommentData)
    if link.is_linked:
        return _edit_if_changed(direction, parcel, job)
    if not comment.is_new:  # an earlier call may have run
        return Next(direction.step("seek_comment"))
    sent = files.fetched_files(job, comment)
    return crm.comment_add(comment.card, _text(direction, parcel, job), files=sent)


def comment_written(direction: CommentDirection, parcel: Parcel, job: Job, comment_id: str) -> Outcome:
    """The copy stands."""
    link = parcel.found[job.pk]
    if link_copy(link, comment_id):
        _save_copy(direction, parcel, job)
    return Done()


def find_copy(_: CommentDirection, parcel: Parcel, jobs: list[Job]) -> Command:
    """The newest comments of the other card: did the lost call write ours?"""
    return crm.comments_of(parcel.unpack(jobs[0], CommentData).card)


def copy_found(direction: CommentDirection, parcel: Parcel, job: Job, comments: list[crm.Comment]) -> Outcome:
    """Adopt the copy, or write it when it is not there."""
    link, copied = parcel.found[job.pk], parcel.unpack(job, CommentData)
    if link.is_linked:
        return _edit_if_changed(direction, parcel, job)
    for comment in comments:
        if hash_of_text(comment.text) == link.content_hash and link_copy(link, comment.id):
            link.files = {files.FIELD: copied.files}
            parcel.touch(link, "target_id", "state", "files")
            job.target_id = comment.id
            return _edit_if_changed(direction, parcel, job, is_news=True)
    copied.is_new = True
    parcel.pack(job, copied)
    return files.step_that_writes(direction, copied, keeps_attempts=True)


def edit_copy(direction: CommentDirection, parcel: Parcel, jobs: list[Job]) -> Command:
    """The copy gets the present words."""
    return crm.comment_update(str(parcel.found[jobs[0].pk].target_id), _text(direction, parcel, jobs[0]))


def copy_edited(direction: CommentDirection, parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The copy has them."""
    _save_copy(direction, parcel, job)
    return Done()


def copy_deleted(error: SyncError) -> Outcome | None:
    """Somebody did not want it on the other card."""
    return Skip(_("Its copy on the other card was deleted.")) if crm.is_gone(error) else None


def _edit_if_changed(
    direction: CommentDirection, parcel: Parcel, job: Job, *, is_news: bool = False
) -> Next | Skip | Done:
    if parcel.found[job.pk].content_hash != _hash(direction, parcel, job):
        return Next(direction.step("edit_comment"))
    if is_news:
        return Done(_("The comment had been written although the answer was lost."))
    return Skip(_("The other card has this comment already."))


def _save_copy(direction: CommentDirection, parcel: Parcel, job: Job) -> None:
    link = parcel.found[job.pk]
    link.content_hash = _hash(direction, parcel, job)
    link.files = {files.FIELD: parcel.unpack(job, CommentData).files}
    job.target_id = link.target_id or ""
    parcel.touch(link, "target_id", "state", "content_hash", "files")


def _links(direction: CommentDirection, parcel: Parcel) -> dict[tuple[int, str], Link]:
    return Link.by_source(((job.route_id, job.source_id) for job in parcel.jobs), entity=direction.kind)


def _text(direction: CommentDirection, parcel: Parcel, job: Job) -> str:
    portal = job.route.source if direction is FORWARD else job.route.target
    return text_of_copy(parcel.unpack(job, CommentData), portal=str(portal))


def _hash(direction: CommentDirection, parcel: Parcel, job: Job) -> str:
    return hash_of_text(_text(direction, parcel, job))


def steps(direction: CommentDirection) -> dict[str, Step]:
    """Writing, looking after a lost answer, editing, in one direction."""
    writing = partial(
        Step,
        calls=direction.writes,
        prepare=partial(intend, direction),
        retry_from=direction.step("read_comment"),
    )
    write_one = writing(
        label=gettext_lazy("writing the comment"),
        method="crm.timeline.comment.add",
        request=partial(write_comment, direction),
        read=crm.read_added,
        on_response=partial(comment_written, direction),
        verify_step=direction.step("seek_comment"),
        folds=True,
    )
    return {
        direction.step("write_comment"): write_one,
        direction.step("write_files"): replace(
            write_one, label=gettext_lazy("writing the comment with files"), solo=True
        ),
        direction.step("seek_comment"): writing(
            label=gettext_lazy("looking whether the comment was written"),
            method="crm.timeline.comment.list",
            request=partial(find_copy, direction),
            read=crm.read_comments,
            on_response=partial(copy_found, direction),
        ),
        direction.step("edit_comment"): writing(
            label=gettext_lazy("changing the comment"),
            method="crm.timeline.comment.update",
            request=partial(edit_copy, direction),
            on_response=partial(copy_edited, direction),
            ignore_error=copy_deleted,
            folds=True,
        ),
    }
