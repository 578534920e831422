"""Which way comments go, which card they belong on, and which of them are our own copies.

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
from sync.flows.contract import Ignored, JobSpec, Side, Skip
from sync.flows.deals.comments.text import announces_arrival, mark_of
from sync.flows.deals.delivery import CREATING_STEPS
from sync.flows.deals.next_step import DELIVERY
from sync.flows.deals.options import options_of
from sync.models import Event, Job, Link, Route

DEAL_WAIT = 15.0
"""Seconds until we look again for the card of a deal that is still on its way."""

COPY_WAIT = 2.0
"""Seconds until a copy that is just being written has its ID."""


@dataclass(frozen=True)
class Direction:
    """`kind`: of the jobs and links; `words`: the settings of `carry.comments` that switch it on."""

    kind: str
    opposite: str
    reads: Side
    writes: Side
    words: tuple[str, str]
    suffix: str

    def step(self, name: str) -> str:
        """The step's name in this direction."""
        return f"{name}{self.suffix}"


FORWARD = Direction("comment", "comment_back", "source", "target", ("forward", "both"), "")
BACK = Direction("comment_back", "comment", "target", "source", ("back", "both"), "_back")
DIRECTIONS: dict[Side, Direction] = {"source": FORWARD, "target": BACK}
COPY = gettext_noop("The comment is our own copy of one from the other card.")


def sort_comments(route: Route, side: Side, events: list[Event]) -> list[JobSpec | Ignored]:
    """One verdict an event about a comment, in order."""
    way = DIRECTIONS[side]
    carry: Any = route.options.get("carry") or {}
    if carry.get("comments") not in way.words:
        return [Ignored(_("The route does not carry comments from this portal."))] * len(events)
    copies = copies_among(route, way, [event.own_id for event in events])

    def decision(event: Event) -> JobSpec | Ignored:
        if event.action == "delete":
            return Ignored(_("Deletions do not travel: the other card keeps its copy."))
        if event.own_id in copies:
            return Ignored(_(COPY))
        return JobSpec(way.kind, event.own_id, way.step("read_comment"))

    return [decision(event) for event in events]


def copies_among(route: Route, way: Direction, ids: list[str]) -> set[str]:
    """Which of these comments of the reading side we have written ourselves."""
    copies = Link.objects.filter(route=route, entity=way.opposite, target_id__in=ids)
    return {str(found) for found in copies.values_list("target_id", flat=True)}


def is_ours(way: Direction, job: Job, *, deal_id: str, text: str) -> bool:
    """Whether we wrote this comment, even if its ID is not stored yet; raises NotYet while that is open.

    The event of our own write may come before we have heard the answer. The intent stood before the call.
    """
    intents = [
        (source_id, mark)
        for source_id, mark, params in Link.objects.filter(
            route=job.route, entity=way.opposite, state=Link.State.CREATING
        ).values_list("source_id", "content_hash", "params")
        if params.get("deal") == deal_id
    ]
    if mark_of(text) in {mark for _id, mark in intents}:
        return True
    lanes = [Job.lane_of(job.route_id, way.opposite, one) for one, _mark in intents]
    writers = Job.objects.filter(lane__in=lanes, state__in=Job.OPEN)
    if writers.exists():  # portals may change the words of what we write
        message = _("A copy is just being written to deal %(deal)s: it may be this one.")
        raise NotYet(message % {"deal": deal_id}, after=COPY_WAIT)
    return bool(copies_among(job.route, way, [job.source_id]))


def card_for(way: Direction, job: Job, deal_id: str) -> str | Skip:
    """The deal on the other side; raises NotYet while it is on its way, NeedsStaff when it has failed."""
    found = Link.objects.filter(route=job.route, entity="deal", **{f"{way.reads}_id": deal_id}).first()
    if found is not None and found.is_linked:
        return str(found.target_id if way is FORWARD else found.source_id)
    route = job.route
    deliveries = Job.objects.filter(lane=Job.lane_of(route.pk, DELIVERY, deal_id))
    if way is FORWARD:
        is_coming = deliveries.filter(state__in=Job.OPEN).exists()
    else:
        creating = Job.objects.filter(route=route, state__in=Job.OPEN, step__in=CREATING_STEPS)
        is_coming = creating.exists()
    words = {"deal": deal_id, "portal": route.source}
    if is_coming:
        raise NotYet(_("Deal %(deal)s of this comment is still on its way.") % words, after=DEAL_WAIT)
    if way is FORWARD and deliveries.filter(state=Job.State.FAILED).exists():
        raise NeedsStaff(
            _(
                "Deal %(deal)s of %(portal)s has not arrived: its own job failed. Press Retry there first, "
                "then here."
            )
            % words
        )
    return Skip(_("Deal %(deal)s does not travel by this route: there is no deal mapping.") % words)


def is_arrival(way: Direction, job: Job, *, deal_id: str, card: str, text: str) -> bool:
    """Whether it is what we say on the source card when a deal has arrived."""
    options = options_of(job.route)
    return way is FORWARD and announces_arrival(options, text, source_id=deal_id, target_id=card)


def bind(link: Link, target_id: str) -> bool:
    """Give the link its copy; False when another link has it (two equal comments on one card)."""
    try:
        with transaction.atomic():
            Link.objects.filter(pk=link.pk).update(target_id=target_id)
    except IntegrityError:
        return False
    link.target_id, link.state = target_id, Link.State.LINKED
    return True
