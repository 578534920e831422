"""Reading the source deal and its files, and deciding what must be written."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.downloads import DOWNLOAD
from sync.connectors.types import Command, File, Record
from sync.errors import Refused
from sync.flows.contract import Next, Outcome, Parcel, Skip, Step
from sync.flows.deals.data import DealData
from sync.flows.deals.loops import is_return
from sync.flows.deals.mapping import fields_for_target, hash_of
from sync.flows.deals.next_step import next_step
from sync.flows.deals.options import options_of
from sync.flows.deals.parties import changed_parties, ids_of
from sync.models import Attachment, Job, Link


def fetch(__: Parcel, jobs: list[Job]) -> Command:
    """Up to 50 deals in one list command."""
    return crm.deals_by_ids([job.source_id for job in jobs])


def fetched(parcel: Parcel, job: Job, deals: dict[str, Record]) -> Outcome:
    """Transform the deal as it is now, and find out whether it must be created, updated or nothing."""
    record = deals.get(job.source_id)
    if record is None:
        raise Refused(
            _(
                "Deal %(deal)s is not on %(portal)s: it was deleted, or the webhook's owner may not read it. "
                "Check the deal and the rights, then press Retry."
            )
            % {"deal": job.source_id, "portal": job.route.source}
        )
    link = parcel.link(job)
    if link is None and is_return(job.route, record):
        return Skip(
            _("Deal %(deal)s began on %(target)s: it does not travel back there as a new deal.")
            % {"deal": job.source_id, "target": job.route.target}
        )
    parcel.pack(job, _deal_data(parcel, job, record, link))
    return next_step(parcel, job)


def _deal_data(parcel: Parcel, job: Job, record: Record, link: Link | None) -> DealData:
    """What the job carries on: fields to write, what is still to fetch, and the hash of what lasts.

    The hash is of the update's fields: what is written only at creation must not look like a change later.
    """
    linked = link if link and link.is_linked else None
    carry = options_of(parcel, job).carry
    params = {**(link.params if link else {}), **job.params}
    lasting = fields_for_target(parcel, job, record, params, writing="update")
    fields = lasting if linked else fields_for_target(parcel, job, record, params, writing="create")
    files = {name: files for name, value in fields.items() if (files := files_in(value))}
    wanted = _changed_files(files, linked.files if linked else {}) if carry.files else {}
    party_ids = ids_of(carry, record)
    parties = changed_parties(party_ids, linked.party_ids if linked else {})
    deal = DealData(
        fields={name: value for name, value in fields.items() if name not in files},
        files=wanted,
        lists=[name for name in wanted if isinstance(fields[name], list)],
        file_ids={name: _ids(wanted[name]) for name in wanted},
        party_ids={party.entity: party_ids[party.entity] for party in parties},
        parties=parties,
        products="unread" if carry.products else "",
        title=str(record.get("TITLE") or ""),
        params=params,
        hash=hash_of(_comparable(lasting) | {f"#{entity}": ids for entity, ids in party_ids.items()}),
    )
    if linked:
        job.target_id = linked.target_id or ""
        deal.is_changed = deal.hash != linked.content_hash
    return deal


def _changed_files(
    files: dict[str, list[dict[str, str]]], written: dict[str, list[str]]
) -> dict[str, list[dict[str, str]]]:
    """Those of the fields whose files are not the ones that the target has."""
    return {name: found for name, found in files.items() if _ids(found) != written.get(name)}


def _comparable(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields without what changes by itself: the links of files."""
    return {name: _ids(files) if (files := files_in(value)) else value for name, value in fields.items()}


def _ids(files: list[dict[str, str]]) -> list[str]:
    return [file["file_id"] for file in files]


def fetch_file(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The next file of the deal that is not here yet."""
    job = jobs[0]
    file = _next_file(parcel, job)
    if file is None:
        return _with_files(parcel, job)
    return crm.download(file["path"], max_bytes=settings.MAX_FILE_BYTES)


def file_fetched(parcel: Parcel, job: Job, file: File) -> Outcome:
    """Keep the file until all are here."""
    wanted = _next_file(parcel, job)
    if wanted is not None:
        Attachment.store(
            job, field=wanted["field"], file_id=wanted["file_id"], name=file.name, content=file.content
        )
    return Next("file") if _next_file(parcel, job) else _with_files(parcel, job)


def files_in(value: Any) -> list[dict[str, str]]:
    """The files of a field's value, one or several; none when it is no file field."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict) and "file_id" in one]


def _next_file(parcel: Parcel, job: Job) -> dict[str, str] | None:
    here = set(Attachment.objects.filter(job=job).values_list("field", "file_id"))
    for field, files in parcel.unpack(job, DealData).files.items():
        for file in files:
            if (field, file["file_id"]) not in here:
                return {**file, "field": field}
    return None


def _with_files(parcel: Parcel, job: Job) -> Next:
    link = parcel.link(job)
    return Next("update_with_files" if link and link.is_linked else "create_with_files")


STEPS = {
    "fetch": Step(
        label=gettext_lazy("reading the deal"),
        calls="source",
        method="crm.item.list",
        request=fetch,
        read=crm.read_deals,
        on_response=fetched,
        group=50,
        folds=True,
    ),
    "file": Step(
        label=gettext_lazy("downloading a file"),
        calls="source",
        method=DOWNLOAD,
        request=fetch_file,
        on_response=file_fetched,
        solo=True,
        retry_from="fetch",
        folds=True,
    ),
}
