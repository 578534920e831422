"""Which step follows: what must still be read, who must still be found, what must still be written."""

from __future__ import annotations

from django.utils.translation import gettext as _

from sync.flows.contract import Done, Next, Parcel, Skip
from sync.flows.deals.data import DealData, Entity
from sync.flows.deals.options import DealOptions, options_of
from sync.models import Job

DELIVERY = "deal"
"""The kind of the jobs that bring a deal to the target."""

STEP_THAT_READS: dict[Entity, str] = {"contact": "contacts", "company": "companies"}


def next_step(parcel: Parcel, job: Job) -> Next | Done | Skip:
    """The next step until the deal is written."""
    deal = parcel.unpack(job, DealData)
    for party in deal.parties:
        if party.is_unread:
            return Next(STEP_THAT_READS[party.entity])
    if deal.products == "unread":
        return Next("products")
    return Next("party") if deal.unknown_party() else _step_that_writes(parcel, job, deal)


def _step_that_writes(parcel: Parcel, job: Job, deal: DealData) -> Next | Done | Skip:
    link = parcel.link(job)
    looks_first = options_of(parcel, job).look_first
    if link is None and not looks_first:
        return Next("file" if deal.files else "create")
    if link is None or not link.is_linked:  # an earlier create of this deal may have run
        return Next("find")
    if deal.is_changed is None:  # staff have linked it meanwhile
        return Next("fetch")
    if deal.is_changed:
        return Next("file" if deal.files else "update")
    return next_after_write(parcel, job)


def next_after_write(parcel: Parcel, job: Job, *, note: str = "") -> Next | Done | Skip:
    """The deal is there: product rows next, then what came with its first delivery, if that is still open."""
    deal, link = parcel.unpack(job, DealData), parcel.links[job.route_id, job.source_id]
    if deal.rows is not None:
        return Next("set_products" if deal.rows else "clear_products", note=note)
    if not link.reported_at and (step := first_report(options_of(parcel, job))):
        return Next(step, note=note)
    if not link.reported_at:
        mark_reported(parcel, job)
    if deal.is_written:
        return Done(note=note)
    message = _("Nothing to send: deal %(deal)s of %(portal)s has these values already.")
    return Skip(message % {"deal": link.target_id, "portal": job.route.target})


def first_report(options: DealOptions) -> str:
    """The step that tells the source card of its deal; "" when the route tells it nothing."""
    if options.comment:
        return "announce" if options.stage else "comment"
    return "stage" if options.stage else ""


def mark_reported(parcel: Parcel, job: Job) -> Done:
    """The source card knows of its deal."""
    link = parcel.links[job.route_id, job.source_id]
    link.reported_at = parcel.now
    parcel.touch(link, "reported_at")
    return Done()


def mark_written(parcel: Parcel, job: Job) -> None:
    """Remember that this job has written to the target."""
    deal = parcel.unpack(job, DealData)
    deal.is_written = True
    if deal.products:  # else no step after this one asks
        parcel.pack(job, deal)
