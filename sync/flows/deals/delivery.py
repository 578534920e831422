"""Writing the deal on the target portal: created exactly once, then updated."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command, File
from sync.errors import NeedsStaff
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.data import DealData
from sync.flows.deals.next_step import mark_written, next_after_write
from sync.models import Attachment, Job, Link

SUM = "OPPORTUNITY"

MAX_WRITES, WITHIN_MINUTES = 30, 10
"""More updates of one deal in this time: the two portals answer each other for ever."""


def intend(parcel: Parcel) -> None:
    """Write the intent before the call: a Link in state creating, unique for its source deal."""
    missing = [job for job in parcel.jobs if parcel.link(job) is None]
    intents = [Link(route_id=job.route_id, source_id=job.source_id) for job in missing]
    Link.intend(intents, now=parcel.now)
    parcel.load_links(missing)


def create(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """A new deal with our stamp, unless somebody has linked one meanwhile."""
    job = jobs[0]
    link = parcel.links[job.route_id, job.source_id]
    if link.is_linked:
        return Next("fetch")
    stamp = {"ORIGINATOR_ID": job.route.stamp, "ORIGIN_ID": job.source_id}
    return crm.add_deal({**_fields(parcel, job), **stamp})


def created(parcel: Parcel, job: Job, target_id: str) -> Outcome:
    """The deal is there: the intent becomes a link."""
    _link(parcel, job, target_id)
    return next_after_write(parcel, job)


def find_deal(_: Parcel, jobs: list[Job]) -> Command:
    """Deals with our stamp, for up to 50 source deals of a route in one command."""
    return crm.deals_by_origin(jobs[0].route.stamp, [job.source_id for job in jobs])


def deal_found(parcel: Parcel, job: Job, origins: dict[str, list[str]]) -> Outcome:
    """Adopt what the lost call created; create only when there is nothing."""
    ids = origins.get(job.source_id, [])
    if not ids:
        has_files = parcel.unpack(job, DealData).files
        return Next("file" if has_files else "create", keeps_attempts=True)
    target_id = min(ids, key=int)
    link = parcel.links[job.route_id, job.source_id]
    taken = Link.objects.filter(route=job.route, entity="deal", target_id=target_id).exclude(pk=link.pk)
    if taken.exists():
        raise NeedsStaff(
            _(
                "Deal %(deal)s of %(portal)s bears the stamp of deal %(source)s, but is mapped to another "
                "one. Correct the deal mapping, then press Retry."
            )
            % {"deal": target_id, "portal": job.route.target, "source": job.source_id}
        )
    _link(parcel, job, target_id)
    note = _("Deal %(deal)s had been created although the answer was lost; it is adopted.")
    note = note % {"deal": target_id}
    if more := sorted(ids, key=int)[1:]:
        note += " " + _("There are more with the same origin: %(ids)s.") % {"ids": ", ".join(more)}
    return next_after_write(parcel, job, note=note)


def update(parcel: Parcel, jobs: list[Job]) -> Command:
    """The linked deal gets the present values."""
    job = jobs[0]
    link = parcel.links[job.route_id, job.source_id]
    _count_writes(parcel, job, link)
    return crm.update_deal(str(link.target_id), _fields(parcel, job))


def updated(parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The target has the values; what came with the deal's first delivery may still be open."""
    _link(parcel, job, str(parcel.links[job.route_id, job.source_id].target_id))
    return next_after_write(parcel, job)


def _link(parcel: Parcel, job: Job, target_id: str) -> None:
    link, deal = parcel.links[job.route_id, job.source_id], parcel.unpack(job, DealData)
    link.target_id = job.target_id = target_id
    link.state = Link.State.LINKED
    link.content_hash, link.params = deal.hash, deal.params
    parcel.touch(link, "target_id", "state", "content_hash", "params")
    if deal.file_ids:
        link.files = {**link.files, **deal.file_ids}
        parcel.touch(link, "files")
    if deal.party_ids:
        link.party_ids = {**link.party_ids, **deal.party_ids}
        parcel.touch(link, "party_ids")
    mark_written(parcel, job)


def _fields(parcel: Parcel, job: Job) -> dict[str, Any]:
    """The fields to write, with the files that were fetched for them, and with contacts and company."""
    deal = parcel.unpack(job, DealData)
    fields = {**deal.fields, **deal.party_fields()}
    if deal.products and SUM in fields:
        fields |= {"IS_MANUAL_OPPORTUNITY": "Y"}  # or the portal would count the rows together instead
    if not deal.files:
        return fields
    here = {(row.field, row.file_id): row for row in Attachment.objects.filter(job=job)}
    for name, files in deal.files.items():
        rows = [here[name, file["file_id"]] for file in files]
        sent = [File(name=row.name, content=row.read()) for row in rows]
        fields[name] = sent if name in deal.lists else sent[0]
    return fields


def _count_writes(parcel: Parcel, job: Job, link: Link) -> None:
    """Stop a deal whose two portals disagree for ever."""
    window = parcel.now - timedelta(minutes=WITHIN_MINUTES)
    if link.writes_since is None or link.writes_since < window:
        link.writes, link.writes_since = 0, parcel.now
    link.writes += 1
    parcel.touch(link, "writes", "writes_since")
    if link.writes > MAX_WRITES:
        raise NeedsStaff(
            _(
                "Route %(route)s: deal %(deal)s was rewritten %(times)s times in %(minutes)s minutes: the "
                "portals seem to answer each other for ever. Find the robot or mapping that changes the "
                "value back, then press Retry."
            )
            % {
                "route": job.route.slug,
                "deal": job.source_id,
                "times": MAX_WRITES,
                "minutes": WITHIN_MINUTES,
            }
        )


CREATE = Step(
    label=gettext_lazy("creating the deal"),
    calls="target",
    method="crm.item.add",
    prepare=intend,
    request=create,
    read=crm.read_added,
    on_response=created,
    verify_step="find",
    retry_from="fetch",
    folds=True,
)
UPDATE = Step(
    label=gettext_lazy("updating the deal"),
    calls="target",
    method="crm.item.update",
    request=update,
    on_response=updated,
    retry_from="fetch",
    folds=True,
)
STEPS = {
    "create": CREATE,
    "create_with_files": replace(CREATE, label=gettext_lazy("creating the deal with files"), solo=True),
    "find": Step(
        label=gettext_lazy("looking whether the deal was created"),
        calls="target",
        method="crm.item.list",
        prepare=intend,
        request=find_deal,
        read=crm.read_origins,
        on_response=deal_found,
        group=50,
    ),
    "update": UPDATE,
    "update_with_files": replace(UPDATE, label=gettext_lazy("updating the deal with files"), solo=True),
}

CREATING_STEPS = ("create", "create_with_files", "find")
"""Where a deal may exist on the target without our knowing its ID."""
