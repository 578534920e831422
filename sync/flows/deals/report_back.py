"""The report on the source card that its deal has arrived: a comment and a stage, once a deal.

Both go in one request. When only one of them succeeds, the other goes on as a step of its own. A comment that
fails for good is a warning; it never fails the deal.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Answer, Command
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.data import DealData
from sync.flows.deals.next_step import mark_reported
from sync.flows.deals.options import options_of
from sync.models import Job

COMMANDS_TO_ANNOUNCE = 2
"""Commands that announce a deal: comment and stage."""


def announce(parcel: Parcel, jobs: list[Job]) -> tuple[Command, ...] | Outcome:
    """Comment and stage together, where the route has both and the request room for them."""
    job = jobs[0]
    text, stage_id = _text(parcel, job), _stage(parcel, job)
    if not (text and stage_id) or parcel.room < COMMANDS_TO_ANNOUNCE * len(parcel.jobs):
        return Next("comment", keeps_attempts=True)
    return crm.comment_add(job.source_id, text), crm.update_deal(job.source_id, {"STAGE_ID": stage_id})


def announced(parcel: Parcel, job: Job, answers: list[Answer]) -> Outcome:
    """Done when both were taken; the stage is not written again after staff may have moved the card on."""
    comment_answer, stage_answer = answers
    if comment_answer.error and not stage_answer.error:
        deal = parcel.unpack(job, DealData)
        deal.is_staged = True
        parcel.pack(job, deal)
    comment_answer.result()
    refusal = stage_answer.error
    return Next("stage", note=refusal.message) if refusal else mark_reported(parcel, job)


def comment(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The comment of the route on the source card's timeline."""
    job = jobs[0]
    text = _text(parcel, job)
    return crm.comment_add(job.source_id, text) if text else Next("stage")


def commented(parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The comment stands."""
    return Next("stage") if _stage(parcel, job) else mark_reported(parcel, job)


def find_comment(_: Parcel, jobs: list[Job]) -> Command:
    """The newest comments of the source card: did the lost call write ours?"""
    return crm.comments_of(jobs[0].source_id)


def comment_found(parcel: Parcel, job: Job, comments: list[crm.Comment]) -> Outcome:
    """Write it again only when it is not there."""
    wanted = _text(parcel, job).strip()
    is_there = any(comment.text.strip() == wanted for comment in comments)
    return commented(parcel, job, None) if is_there else Next("comment", keeps_attempts=True)


def stage(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The stage of the route for source cards whose deal has arrived."""
    job = jobs[0]
    stage_id = _stage(parcel, job)
    return crm.update_deal(job.source_id, {"STAGE_ID": stage_id}) if stage_id else mark_reported(parcel, job)


def staged(parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The source card shows that the deal has arrived."""
    return mark_reported(parcel, job)


def _stage(parcel: Parcel, job: Job) -> str:
    """The stage that is still to be set; "" when the route has none."""
    return "" if parcel.unpack(job, DealData).is_staged else options_of(parcel, job).stage


def _text(parcel: Parcel, job: Job) -> str:
    link = parcel.links[job.route_id, job.source_id]
    title = parcel.unpack(job, DealData).title
    options = options_of(parcel, job)
    return options.comment_text(target_id=str(link.target_id), source_id=job.source_id, title=title)


STEPS = {
    "announce": Step(
        label=gettext_lazy("comment and stage of the source card"),
        calls="source",
        method="crm.timeline.comment.add",
        request=announce,
        on_response=announced,
        commands=COMMANDS_TO_ANNOUNCE,
        verify_step="find_comment",
        fallback_step="stage",
    ),
    "comment": Step(
        label=gettext_lazy("comment on the source card"),
        calls="source",
        method="crm.timeline.comment.add",
        request=comment,
        on_response=commented,
        verify_step="find_comment",
        fallback_step="stage",
    ),
    "find_comment": Step(
        label=gettext_lazy("looking whether the comment was written"),
        calls="source",
        method="crm.timeline.comment.list",
        request=find_comment,
        read=crm.read_comments,
        on_response=comment_found,
        fallback_step="stage",
    ),
    "stage": Step(
        label=gettext_lazy("stage of the source card"),
        calls="source",
        method="crm.item.update",
        request=stage,
        on_response=staged,
    ),
}
