"""Telling the source card that its deal has arrived: a comment and a stage, once a deal.

Each is its own guaranteed step. A comment that fails for good is a warning; it never fails the deal.
"""

from __future__ import annotations

from typing import Any

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.flows.deals.options import options_of
from sync.flows.steps import Done, Next, Outcome, Parcel, Step
from sync.models import Job


def comment(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The comment of the route on the source card's timeline."""
    job = jobs[0]
    text = _text(parcel, job)
    return crm.comment_add(job.source_id, text) if text else Next("stage")


def commented(_: Parcel, __: Job, ___: Any) -> Outcome:
    """The comment stands."""
    return Next("stage")


def find_comment(_: Parcel, jobs: list[Job]) -> Command:
    """The newest comments of the source card: did the lost call write ours?"""
    return crm.comments_of(jobs[0].source_id)


def comment_found(parcel: Parcel, job: Job, comments: list[crm.Comment]) -> Outcome:
    """Write it again only when it is not there."""
    wanted = _text(parcel, job).strip()
    is_there = any(comment.text.strip() == wanted for comment in comments)
    return Next("stage") if is_there else Next("comment", keeps_attempts=True)


def stage(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The stage of the route for source cards whose deal has arrived."""
    job = jobs[0]
    stage_id = options_of(job.route).stage
    return crm.update_deal(job.source_id, {"STAGE_ID": stage_id}) if stage_id else _reported(parcel, job)


def staged(parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The source card shows that the deal has arrived."""
    return _reported(parcel, job)


def _text(parcel: Parcel, job: Job) -> str:
    link = parcel.links[job.route_id, job.source_id]
    title = parcel.cargo.get(job.pk, {}).get("title", "")
    options = options_of(job.route)
    return options.comment_text(target_id=str(link.target_id), source_id=job.source_id, title=title)


def _reported(parcel: Parcel, job: Job) -> Done:
    link = parcel.links[job.route_id, job.source_id]
    link.reported_at = parcel.now
    parcel.touch(link, "reported_at")
    return Done()


STEPS = {
    "comment": Step(
        calls="source",
        method="crm.timeline.comment.add",
        ask=comment,
        hear=commented,
        lookup="find_comment",
        otherwise="stage",
    ),
    "find_comment": Step(
        calls="source",
        method="crm.timeline.comment.list",
        ask=find_comment,
        read=crm.read_comments,
        hear=comment_found,
        otherwise="stage",
    ),
    "stage": Step(calls="source", method="crm.item.update", ask=stage, hear=staged),
}
