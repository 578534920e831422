"""Timeline comments between the two cards of a deal: read, written on the other card once, kept up to date.

read_comment ─ read_author ─ write_comment (answer lost: seek_comment) │ edit_comment; `…_back` the other way.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.errors import SyncError
from sync.flows.deals.comment_text import composed, mark_of
from sync.flows.deals.comment_twins import (
    BACK,
    COPY,
    FORWARD,
    Direction,
    bind,
    card_for,
    copies_among,
    is_arrival,
    is_ours,
)
from sync.flows.steps import Done, Next, Outcome, Parcel, Skip, Step
from sync.models import Job, Link

AUTHORS_AT_ONCE = 50


def read(way: Direction, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The comment as it is now; none of our own copies, nothing while its deal is known to be on its way."""
    job = jobs[0]
    if copies_among(job.route, way, [job.source_id]):
        return Skip(COPY)
    deal_id = parcel.cargo.get(job.pk, {}).get("deal")
    card = card_for(way, job, deal_id) if deal_id else ""
    return card if isinstance(card, Skip) else crm.comment_by_id(job.source_id)


def was_read(way: Direction, parcel: Parcel, job: Job, comment: crm.Comment) -> Outcome:
    """Is it about a deal of ours, and a person's? Then its author is next."""
    if comment.entity != "deal":
        return Skip(f"The comment is on a {comment.entity}: only those on deals travel.")
    parcel.pack(job, {"deal": comment.deal_id})
    card = card_for(way, job, comment.deal_id)
    if isinstance(card, Skip):
        return card
    if is_ours(way, job, deal_id=comment.deal_id, text=comment.text):
        return Skip(COPY)
    if is_arrival(way, job, deal_id=comment.deal_id, card=card, text=comment.text):
        return Skip("This is the route's own comment about the deal's arrival.")
    text = crm.portable_text(comment.text).strip()
    if not (text or comment.file_ids):
        return Skip("The comment is empty.")
    content = {"deal": comment.deal_id, "card": card, "text": text, "at": comment.created_at}
    parcel.pack(job, {**content, "author_id": comment.author_id, "file_ids": list(comment.file_ids)})
    return Next(way.step("read_author" if comment.author_id else "write_comment"))


def deleted(error: SyncError) -> Outcome | None:
    """Between the event and now."""
    return Skip("The comment was deleted before it was read.") if crm.is_gone(error) else None


def read_author(parcel: Parcel, jobs: list[Job]) -> Command:
    """The authors of up to 50 comments."""
    return crm.users_by_ids(list(dict.fromkeys(parcel.cargo[job.pk]["author_id"] for job in jobs)))


def author_read(way: Direction, parcel: Parcel, job: Job, names: dict[str, str]) -> Outcome:
    """The author's name; bots and system users have none."""
    content = parcel.cargo[job.pk]
    parcel.pack(job, {**content, "author": names.get(content["author_id"], "")})
    return Next(way.step("write_comment"))


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
                params={"deal": parcel.cargo[job.pk]["card"]},
                content_hash=_mark(way, parcel, job),
            )
            for job in missing
        ),
        ignore_conflicts=True,
    )
    for job in missing:
        parcel.pack(job, {**parcel.cargo[job.pk], "is_new": True})
    after = _links(way, parcel)
    for job in parcel.jobs:
        link = parcel.found[job.pk] = after[job.route_id, job.source_id]
        if parcel.cargo[job.pk].get("is_new") and not link.is_linked:
            link.content_hash = _mark(way, parcel, job)
            link.save(update_fields=["content_hash"])


def write(way: Direction, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """A new comment on the other card, unless it is there or may be."""
    job = jobs[0]
    link, content = parcel.found[job.pk], parcel.cargo[job.pk]
    if link.is_linked:
        return _brought_up_to_date(way, parcel, job)
    if not content.get("is_new"):  # an earlier call may have run
        return Next(way.step("seek_comment"))
    return crm.comment_add(content["card"], _text(way, parcel, job))


def was_written(way: Direction, parcel: Parcel, job: Job, comment_id: str) -> Outcome:
    """The copy stands."""
    link = parcel.found[job.pk]
    if bind(link, comment_id):
        _settle(way, parcel, job)
    return Done()


def seek(_: Direction, parcel: Parcel, jobs: list[Job]) -> Command:
    """The newest comments of the other card: did the lost call write ours?"""
    return crm.comments_of(parcel.cargo[jobs[0].pk]["card"])


def was_sought(way: Direction, parcel: Parcel, job: Job, comments: list[crm.Comment]) -> Outcome:
    """Adopt the copy, or write it when it is not there."""
    link = parcel.found[job.pk]
    if link.is_linked:
        return _brought_up_to_date(way, parcel, job)
    for comment in comments:
        if mark_of(comment.text) == link.content_hash and bind(link, comment.id):
            parcel.touch(link)
            job.target_id = comment.id
            return _brought_up_to_date(way, parcel, job, is_news=True)
    parcel.pack(job, {**parcel.cargo[job.pk], "is_new": True})
    return Next(way.step("write_comment"), keeps_attempts=True)


def edit(way: Direction, parcel: Parcel, jobs: list[Job]) -> Command:
    """The copy gets the present words."""
    return crm.comment_update(str(parcel.found[jobs[0].pk].target_id), _text(way, parcel, jobs[0]))


def was_edited(way: Direction, parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The copy has them."""
    _settle(way, parcel, job)
    return Done()


def copy_deleted(error: SyncError) -> Outcome | None:
    """Somebody did not want it on the other card."""
    return Skip("Its copy on the other card was deleted.") if crm.is_gone(error) else None


def _brought_up_to_date(
    way: Direction, parcel: Parcel, job: Job, *, is_news: bool = False
) -> Next | Skip | Done:
    if parcel.found[job.pk].content_hash != _mark(way, parcel, job):
        return Next(way.step("edit_comment"))
    if is_news:
        return Done("The comment had been written although the answer was lost.")
    return Skip("The other card has this comment already.")


def _settle(way: Direction, parcel: Parcel, job: Job) -> None:
    link = parcel.found[job.pk]
    link.content_hash, link.params = _mark(way, parcel, job), {}
    job.target_id = link.target_id or ""
    parcel.touch(link)


def _links(way: Direction, parcel: Parcel) -> dict[tuple[int, str], Link]:
    return Link.by_source(((job.route_id, job.source_id) for job in parcel.jobs), entity=way.kind)


def _text(way: Direction, parcel: Parcel, job: Job) -> str:
    portal = job.route.source if way is FORWARD else job.route.target
    return composed(parcel.cargo[job.pk], portal=str(portal))


def _mark(way: Direction, parcel: Parcel, job: Job) -> str:
    return mark_of(_text(way, parcel, job))


def _steps(way: Direction) -> dict[str, Step]:
    writing = partial(Step, calls=way.writes, prepare=partial(intend, way), restart=way.step("read_comment"))
    return {
        way.step("read_comment"): Step(
            calls=way.reads,
            method="crm.timeline.comment.get",
            ask=partial(read, way),
            read=crm.read_comment,
            hear=partial(was_read, way),
            excuse=deleted,
            folds=True,
        ),
        way.step("read_author"): Step(
            calls=way.reads,
            method="user.get",
            ask=read_author,
            read=crm.read_user_names,
            hear=partial(author_read, way),
            group=AUTHORS_AT_ONCE,
            otherwise=way.step("write_comment"),
            folds=True,
        ),
        way.step("write_comment"): writing(
            method="crm.timeline.comment.add",
            ask=partial(write, way),
            read=crm.read_added,
            hear=partial(was_written, way),
            lookup=way.step("seek_comment"),
            folds=True,
        ),
        way.step("seek_comment"): writing(
            method="crm.timeline.comment.list",
            ask=partial(seek, way),
            read=crm.read_comments,
            hear=partial(was_sought, way),
        ),
        way.step("edit_comment"): writing(
            method="crm.timeline.comment.update",
            ask=partial(edit, way),
            hear=partial(was_edited, way),
            excuse=copy_deleted,
            folds=True,
        ),
    }


STEPS = {**_steps(FORWARD), **_steps(BACK)}
