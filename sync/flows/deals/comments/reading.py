"""Reading a comment and its author, and telling whether it travels."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.errors import SyncError
from sync.flows.contract import Next, Outcome, Parcel, Skip, Step
from sync.flows.deals.comments import files
from sync.flows.deals.comments.copies import COPY, Direction, card_for, copies_among, is_arrival, is_ours
from sync.models import Job, Link

AUTHORS_AT_ONCE = 50


def read(way: Direction, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The comment as it is now; none of our own copies, nothing while its deal is known to be on its way."""
    job = jobs[0]
    if copies_among(job.route, way, [job.source_id]):
        return Skip(_(COPY))
    deal_id = parcel.data.get(job.pk, {}).get("deal")
    card = card_for(way, job, deal_id) if deal_id else ""
    return card if isinstance(card, Skip) else crm.comment_by_id(job.source_id)


def was_read(way: Direction, parcel: Parcel, job: Job, comment: crm.Comment) -> Outcome:
    """Is it about a deal of ours, and a person's? Then its author is next."""
    if comment.entity != "deal":
        message = _("The comment is on a %(entity)s: only those on deals travel.")
        return Skip(message % {"entity": _(comment.entity)})
    parcel.pack(job, {"deal": comment.deal_id})
    card = card_for(way, job, comment.deal_id)
    if isinstance(card, Skip):
        return card
    if is_ours(way, job, deal_id=comment.deal_id, text=comment.text):
        return Skip(_(COPY))
    if is_arrival(way, job, deal_id=comment.deal_id, card=card, text=comment.text):
        return Skip(_("This is the route's own comment about the deal's arrival."))
    text = crm.portable_text(comment.text).strip()
    if not (text or comment.file_ids):
        return Skip(_("The comment is empty."))
    content: dict[str, Any] = {"deal": comment.deal_id, "card": card, "text": text, "at": comment.created_at}
    wanted = files.wanted(job, comment, known=_is_linked(way, job))
    content |= {"author_id": comment.author_id, "file_ids": list(comment.file_ids), "to_fetch": wanted}
    parcel.pack(job, content)
    return Next(way.step("read_author")) if comment.author_id else files.following(way, content)


def deleted(error: SyncError) -> Outcome | None:
    """Between the event and now."""
    return Skip(_("The comment was deleted before it was read.")) if crm.is_gone(error) else None


def read_author(parcel: Parcel, jobs: list[Job]) -> Command:
    """The authors of up to 50 comments."""
    return crm.users_by_ids(list(dict.fromkeys(parcel.data[job.pk]["author_id"] for job in jobs)))


def author_read(way: Direction, parcel: Parcel, job: Job, names: dict[str, str]) -> Outcome:
    """The author's name; bots and system users have none."""
    content = parcel.data[job.pk]
    content["author"] = names.get(content["author_id"], "")
    parcel.pack(job, content)
    return files.following(way, content)


def _is_linked(way: Direction, job: Job) -> bool:
    links = Link.objects.filter(route=job.route, entity=way.kind, source_id=job.source_id)
    return links.filter(state=Link.State.LINKED).exists()


def steps(way: Direction) -> dict[str, Step]:
    """The comment, then its author, in one direction."""
    return {
        way.step("read_comment"): Step(
            calls=way.reads,
            method="crm.timeline.comment.get",
            request=partial(read, way),
            read=crm.read_comment,
            on_response=partial(was_read, way),
            ignore_error=deleted,
            folds=True,
        ),
        way.step("read_author"): Step(
            calls=way.reads,
            method="user.get",
            request=read_author,
            read=crm.read_user_names,
            on_response=partial(author_read, way),
            group=AUTHORS_AT_ONCE,
            fallback_step=way.step("find_file"),
            folds=True,
        ),
    }
