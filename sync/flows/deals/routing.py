"""Which events become jobs on a route of deals, and for which deal or comment."""

from django.utils.translation import gettext as _

from sync.flows.contract import Ignored, JobSpec, Side
from sync.flows.deals.comments import sort_comments
from sync.flows.deals.delivery import CREATING_STEPS
from sync.flows.deals.mapping import feedback_fields
from sync.flows.deals.next_step import DELIVERY
from sync.models import Event, Job, Link, Route

FEEDBACK, COMMENT = "feedback", "comment"


def backfill(source_id: str) -> JobSpec:
    """A deal to be delivered again because staff asked."""
    return JobSpec(DELIVERY, source_id, "fetch")


def sort(route: Route, side: Side, events: list[Event]) -> list[JobSpec | Ignored]:
    """One decision an event: the source's deliver deals, the target's bring feedback; comments apart."""
    comments = [event for event in events if event.entity == COMMENT]
    if not comments:
        return _sort_deals(route, side, events)
    about_comments = iter(sort_comments(route, side, comments))
    about_deals = iter(_sort_deals(route, side, [event for event in events if event.entity != COMMENT]))
    return [next(about_comments if event.entity == COMMENT else about_deals) for event in events]


def _sort_deals(route: Route, side: Side, events: list[Event]) -> list[JobSpec | Ignored]:
    if side == "source":
        return [_irrelevant(event) or JobSpec(DELIVERY, event.record_id, "fetch") for event in events]
    return _sort_feedback(route, events)


def _irrelevant(event: Event) -> Ignored | None:
    if event.entity != "deal":
        message = _("This route carries deals; the event is about a %(entity)s.")
        return Ignored(message % {"entity": _(event.entity)})
    if event.action == "delete":
        return Ignored(_("Deletions do not travel: the other portal keeps its deal."))
    return None


def _sort_feedback(route: Route, events: list[Event]) -> list[JobSpec | Ignored]:
    own_ids = [event.own_id for event in events if event.own_id]
    linked = Link.objects.filter(route=route, entity="deal", target_id__in=own_ids)
    source_of = dict(linked.values_list("target_id", "source_id"))
    being_created = Job.objects.filter(route=route, state__in=Job.OPEN, step__in=CREATING_STEPS)
    may_be_ours = being_created.exists()
    first = "look" if feedback_fields(route) else "report"

    def decision(event: Event) -> JobSpec | Ignored:
        if irrelevant := _irrelevant(event):
            return irrelevant
        if event.own_id in source_of:
            return JobSpec(FEEDBACK, source_of[event.own_id], first)
        if event.origin_id:  # the sender names the deal on the other side itself
            return JobSpec(FEEDBACK, event.origin_id, first)
        if may_be_ours:  # the answer of its create may be lost: wait until we know
            return JobSpec(FEEDBACK, "", first, target_id=event.own_id)
        message = _("Deal %(deal)s of %(portal)s did not come from %(source)s.")
        return Ignored(message % {"deal": event.own_id, "portal": route.target, "source": route.source})

    return [decision(event) for event in events]
