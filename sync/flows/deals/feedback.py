"""What the receiving portal reports goes back to the source card."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command, Record
from sync.errors import NotYet, Refused
from sync.flows.contract import Done, Next, Outcome, Parcel, Skip, Step
from sync.flows.deals.delivery import CREATING_STEPS
from sync.flows.deals.mapping import fields_for_source, hash_of
from sync.flows.parcel import StoredData
from sync.models import Job, Link

LINK_WAIT = 15.0
"""Seconds until we look again for the link of a deal that is just being created."""


@dataclass(kw_only=True)
class FeedbackData(StoredData):
    """What the job of a feedback knows: `record`, the target deal, where the mappings take values from it."""

    record: Record = field(default_factory=dict)


def read_deal(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The target deal, where the mappings take values from it."""
    link = _link(parcel, jobs[0])
    return crm.deals_by_ids([str(link.target_id)]) if link else _not_ours(jobs[0])


def deal_read(parcel: Parcel, job: Job, deals: dict[str, Record]) -> Outcome:
    """Carry the target deal's values to the source card."""
    if not deals:
        link = _link(parcel, job)
        message = _("The deal linked with %(deal)s is no longer on %(portal)s.")
        raise Refused(message % {"deal": link and link.source_id, "portal": job.route.target})
    parcel.pack(job, FeedbackData(record=next(iter(deals.values()))))
    return Next("report")


def report(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The source card gets what the dealer reported; empty values never overwrite."""
    job = jobs[0]
    link = _link(parcel, job)
    if link is None:
        return _not_ours(job)
    fields = _fields(parcel, job, link)
    if not fields:
        return Skip(_("Nothing to send back: the webhook brought no parameter that is mapped."))
    if hash_of(fields) == link.back_hash and not job.params:
        message = _("Nothing to send back: deal %(deal)s of %(portal)s has these values already.")
        return Skip(message % {"deal": link.source_id, "portal": job.route.source})
    return crm.update_deal(link.source_id, fields)


def reported(parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The source card has the values."""
    link = _link(parcel, job)
    if link is not None:
        link.back_hash = hash_of(_fields(parcel, job, link))
        parcel.touch(link, "back_hash")
    return Done()


def _fields(parcel: Parcel, job: Job, link: Link) -> dict[str, Any]:
    record = parcel.unpack(job, FeedbackData).record
    return fields_for_source(parcel, job, link.source_id, record, job.params)


def _link(parcel: Parcel, job: Job) -> Link | None:
    """The link of the job's deal; where we did not know the source deal, the one that is there meanwhile."""
    link = parcel.link(job)
    if link is None and not job.source_id:
        link = Link.objects.filter(route=job.route, entity="deal", target_id=job.target_id).first()
    if link is None or not link.is_linked:
        return None
    job.target_id = link.target_id or ""
    return link


def _not_ours(job: Job) -> Skip:
    """No link: wait while one may still come of a create under way, else the deal is not ours."""
    route = job.route
    if Job.objects.filter(route=route, state__in=Job.OPEN, step__in=CREATING_STEPS).exists():
        message = _("The deal mapping of this feedback from %(portal)s is not known yet.")
        raise NotYet(message % {"portal": route.target}, after=LINK_WAIT)
    message = _("The deal did not come from %(portal)s by this route: there is no deal mapping.")
    return Skip(message % {"portal": route.source})


STEPS = {
    "look": Step(
        label=gettext_lazy("reading the receiver's deal"),
        calls="target",
        method="crm.item.list",
        request=read_deal,
        read=crm.read_deals,
        on_response=deal_read,
        folds=True,
    ),
    "report": Step(
        label=gettext_lazy("writing back to the source card"),
        calls="source",
        method="crm.item.update",
        request=report,
        on_response=reported,
        folds=True,
    ),
}
