"""In which direction comments go, which card they belong on, and which of them are our own copies.

A carried comment and its copy are a Link of entity `comment` (written at the source first) or `comment_back`
(written at the target first); `source_id` is always the one a person wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sync.errors import NeedsStaff, NotYet
from sync.flows.contract import Ignored, JobSpec, Parcel, Side, Skip
from sync.flows.deals.comments.text import announces_arrival, hash_of_text
from sync.flows.deals.delivery import CREATING_STEPS
from sync.flows.deals.next_step import DELIVERY
from sync.flows.deals.options import options_of
from sync.models import Event, Job, Link, Route

DEAL_WAIT = 15.0
"""Seconds until we look again for the card of a deal that is still on its way."""

COPY_WAIT = 2.0
"""Seconds until a copy that is just being written has its ID."""


@dataclass(frozen=True)
class CommentDirection:
    """`kind`: of the jobs and links; `options`: the values of `carry.comments` that switch it on."""

    kind: str
    opposite: str
    reads: Side
    writes: Side
    options: tuple[str, str]
    suffix: str

    def step(self, name: str) -> str:
        """The step's name in this direction."""
        return f"{name}{self.suffix}"


FORWARD = CommentDirection("comment", "comment_back", "source", "target", ("forward", "both"), "")
BACK = CommentDirection("comment_back", "comment", "target", "source", ("back", "both"), "_back")
DIRECTIONS: dict[Side, CommentDirection] = {"source": FORWARD, "target": BACK}
IS_OUR_COPY = gettext_noop("The comment is our own copy of one from the other card.")


def sort_comments(route: Route, side: Side, events: list[Event]) -> list[JobSpec | Ignored]:
    """One decision an event about a comment, in order."""
    direction = DIRECTIONS[side]
    carry: Any = route.options.get("carry") or {}
    if carry.get("comments") not in direction.options:
        return [Ignored(_("The route does not carry comments from this portal."))] * len(events)
    copies = copies_among(route, direction, [event.own_id for event in events])

    def decision(event: Event) -> JobSpec | Ignored:
        if event.action == "delete":
            return Ignored(_("Deletions do not travel: the other card keeps its copy."))
        if event.own_id in copies:
            return Ignored(_(IS_OUR_COPY))
        return JobSpec(direction.kind, event.own_id, direction.step("read_comment"))

    return [decision(event) for event in events]


def copies_among(route: Route, direction: CommentDirection, ids: list[str]) -> set[str]:
    """Which of these comments of the reading side we have written ourselves."""
    copies = Link.objects.filter(route=route, entity=direction.opposite, target_id__in=ids)
    return {str(found) for found in copies.values_list("target_id", flat=True)}


def is_ours(direction: CommentDirection, job: Job, *, deal_id: str, text: str) -> bool:
    """Whether we wrote this comment, even if its ID is not stored yet; raises NotYet while that is open.

    The event of our own write may come before its answer. The intent stood before the call.
    """
    creating = Link.objects.filter(route=job.route, entity=direction.opposite, state=Link.State.CREATING)
    hashes = dict(creating.filter(card_id=deal_id).values_list("source_id", "content_hash"))
    if hash_of_text(text) in hashes.values():
        return True
    lanes = [Job.lane_of(job.route_id, direction.opposite, one) for one in hashes]
    writers = Job.objects.filter(lane__in=lanes, state__in=Job.OPEN)
    if writers.exists():  # portals may change the words of what we write
        message = _("A copy is just being written to deal %(deal)s: it may be this one.")
        raise NotYet(message % {"deal": deal_id}, after=COPY_WAIT)
    return bool(copies_among(job.route, direction, [job.source_id]))


def card_for(direction: CommentDirection, job: Job, deal_id: str) -> str | Skip:
    """The deal on the other side; raises NotYet while it is on its way, NeedsStaff when it has failed."""
    found = Link.objects.filter(route=job.route, entity="deal", **{f"{direction.reads}_id": deal_id}).first()
    if found is not None and found.is_linked:
        return str(found.target_id if direction is FORWARD else found.source_id)
    route = job.route
    deliveries = Job.objects.filter(lane=Job.lane_of(route.pk, DELIVERY, deal_id))
    if direction is FORWARD:
        is_coming = deliveries.filter(state__in=Job.OPEN).exists()
    else:
        creating = Job.objects.filter(route=route, state__in=Job.OPEN, step__in=CREATING_STEPS)
        is_coming = creating.exists()
    words = {"deal": deal_id, "portal": route.source}
    if is_coming:
        raise NotYet(_("Deal %(deal)s of this comment is still on its way.") % words, after=DEAL_WAIT)
    if direction is FORWARD and deliveries.filter(state=Job.State.FAILED).exists():
        raise NeedsStaff(
            _(
                "Deal %(deal)s of %(portal)s has not arrived: its own job failed. Press Retry there first, "
                "then here."
            )
            % words
        )
    return Skip(_("Deal %(deal)s does not travel by this route: there is no deal mapping.") % words)


def is_arrival(
    direction: CommentDirection, parcel: Parcel, job: Job, *, deal_id: str, card: str, text: str
) -> bool:
    """Whether it is what we say on the source card when a deal has arrived."""
    options = options_of(parcel, job)
    return direction is FORWARD and announces_arrival(options, text, source_id=deal_id, target_id=card)


def link_copy(link: Link, target_id: str) -> bool:
    """Give the link its copy; False when another link has it (two equal comments on one card)."""
    try:
        with transaction.atomic():
            Link.objects.filter(pk=link.pk).update(target_id=target_id)
    except IntegrityError:
        return False
    link.target_id, link.state = target_id, Link.State.LINKED
    return True
