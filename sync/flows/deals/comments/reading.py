"""Reading a comment and its author, and telling whether it travels."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.errors import SyncError
from sync.flows.contract import Next, Outcome, Parcel, Skip, Step
from sync.flows.deals.comments import files
from sync.flows.deals.comments.copies import (
    IS_OUR_COPY,
    CommentDirection,
    card_for,
    copies_among,
    is_arrival,
    is_ours,
)
from sync.flows.deals.comments.data import CommentData
from sync.models import Job, Link

MAX_AUTHORS = 50


def read_comment(direction: CommentDirection, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The comment as it is now; none of our own copies, nothing while its deal is known to be on its way."""
    job = jobs[0]
    if copies_among(job.route, direction, [job.source_id]):
        return Skip(_(IS_OUR_COPY))
    deal_id = parcel.unpack(job, CommentData).deal
    card = card_for(direction, job, deal_id) if deal_id else ""
    return card if isinstance(card, Skip) else crm.comment_by_id(job.source_id)


def comment_read(direction: CommentDirection, parcel: Parcel, job: Job, comment: crm.Comment) -> Outcome:
    """Is it about a deal of ours, and a person's? Then its author is next."""
    if comment.entity != "deal":
        message = _("The comment is on a %(entity)s: only those on deals travel.")
        return Skip(message % {"entity": _(comment.entity)})
    parcel.pack(job, CommentData(deal=comment.deal_id))
    card = card_for(direction, job, comment.deal_id)
    if isinstance(card, Skip):
        return card
    if is_ours(direction, job, deal_id=comment.deal_id, text=comment.text):
        return Skip(_(IS_OUR_COPY))
    if is_arrival(direction, parcel, job, deal_id=comment.deal_id, card=card, text=comment.text):
        return Skip(_("This is the route's own comment about the deal's arrival."))
    text = crm.portable_text(comment.text).strip()
    if not (text or comment.file_ids):
        return Skip(_("The comment is empty."))
    content = CommentData(
        deal=comment.deal_id,
        card=card,
        text=text,
        at=comment.created_at,
        author_id=comment.author_id,
        file_ids=list(comment.file_ids),
        to_fetch=files.files_to_fetch(parcel, job, comment, known=_is_linked(direction, job)),
    )
    parcel.pack(job, content)
    return Next(direction.step("read_author")) if comment.author_id else files.next_file(direction, content)


def comment_deleted(error: SyncError) -> Outcome | None:
    """Between the event and now."""
    return Skip(_("The comment was deleted before it was read.")) if crm.is_gone(error) else None


def read_author(parcel: Parcel, jobs: list[Job]) -> Command:
    """The authors of up to 50 comments."""
    ids = dict.fromkeys(parcel.unpack(job, CommentData).author_id for job in jobs)
    return crm.users_by_ids(list(ids))


def author_read(direction: CommentDirection, parcel: Parcel, job: Job, names: dict[str, str]) -> Outcome:
    """The author's name; bots and system users have none."""
    comment = parcel.unpack(job, CommentData)
    comment.author = names.get(comment.author_id, "")
    parcel.pack(job, comment)
    return files.next_file(direction, comment)


def _is_linked(direction: CommentDirection, job: Job) -> bool:
    links = Link.objects.filter(route=job.route, entity=direction.kind, source_id=job.source_id)
    return links.filter(state=Link.State.LINKED).exists()


def steps(direction: CommentDirection) -> dict[str, Step]:
    """The comment, then its author, in one direction."""
    return {
        direction.step("read_comment"): Step(
            label=gettext_lazy("reading the comment"),
            calls=direction.reads,
            method="crm.timeline.comment.get",
            request=partial(read_comment, direction),
            read=crm.read_comment,
            on_response=partial(comment_read, direction),
            ignore_error=comment_deleted,
            folds=True,
        ),
        direction.step("read_author"): Step(
            label=gettext_lazy("reading the comment's author"),
            calls=direction.reads,
            method="user.get",
            request=read_author,
            read=crm.read_user_names,
            on_response=partial(author_read, direction),
            group=MAX_AUTHORS,
            fallback_step=direction.step("find_file"),
            folds=True,
        ),
    }
