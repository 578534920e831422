"""Contacts and companies of a deal, read on the source portal: many deals' in one command of 50."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command, Record
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.data import DealData, Entity, MultiField, Party
from sync.flows.deals.next_step import next_step
from sync.flows.deals.options import Carry
from sync.flows.declarations import Text
from sync.models import Job, Link, Route

MAX_READ = 50
PORTABLE_FIELDS = {
    "contact": ("NAME", "LAST_NAME", "SECOND_NAME", "POST"),
    "company": ("TITLE",),
}
"""What of them travels beside phones and e-mails. Who is responsible, notes and user fields stay."""

NOT_FOUND = {
    "contact": gettext_noop(
        "Without contact %(ids)s: not on %(portal)s, or hidden from the webhook's owner."
    ),
    "company": gettext_noop(
        "Without company %(ids)s: not on %(portal)s, or hidden from the webhook's owner."
    ),
}
IN_PROGRESS = {
    "contact": gettext_noop("Another deal is just bringing contact %(id)s of %(portal)s."),
    "company": gettext_noop("Another deal is just bringing company %(id)s of %(portal)s."),
}
MULTIFIELDS: tuple[MultiField, ...] = ("PHONE", "EMAIL")
BY_IDS: dict[Entity, Callable[[Sequence[str]], Command]] = {
    "contact": crm.contacts_by_ids,
    "company": crm.companies_by_ids,
}


def ids_of(carry: Carry, record: Record) -> dict[Entity, list[str]]:
    """Entity → IDs on the deal that travel, the primary contact first; entities without any are missing."""
    ids: dict[Entity, list[str]] = {}
    if carry.contacts:
        primary = [record["CONTACT_ID"]] if record.get("CONTACT_ID") else []
        ids["contact"] = list(dict.fromkeys([*primary, *(record.get("CONTACT_IDS") or [])]))
    if carry.companies and record.get("COMPANY_ID"):
        ids["company"] = [record["COMPANY_ID"]]
    return {entity: found for entity, found in ids.items() if found}


def changed_parties(ids: Mapping[Entity, list[str]], written: Mapping[str, list[str]]) -> list[Party]:
    """The parties of a deal whose target does not have them yet, all of an entity or none.

    `written`: entity → the IDs that the target deal was last written for. While they are the same, what staff
    of the target have done to its contacts stays.
    """
    return [
        Party(entity=entity, id=one)
        for entity, found in ids.items()
        if written.get(entity) != found
        for one in found
    ]


def targets_of(route: Route, entity: str, ids: Iterable[str]) -> dict[str, str]:
    """Source ID → ID on the target of those that are linked, by any route between the two portals."""
    links = Link.objects.filter(
        route__source=route.source_id,
        route__target=route.target_id,
        entity=entity,
        state=Link.State.LINKED,
        source_id__in=list(ids),
    )
    return {link.source_id: link.target_id or link.alias_of for link in links}


def read_parties(entity: Entity, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """Those of up to 50 deals that are not linked yet; what does not fit is asked for the next time."""
    deals = {job.pk: parcel.unpack(job, DealData) for job in jobs}
    unread = [party for job in jobs for party in deals[job.pk].unread(entity)]
    known = targets_of(jobs[0].route, entity, {party.id for party in unread})
    for party in unread:
        party.target = known.get(party.id, "")
    for job in jobs:
        parcel.pack(job, deals[job.pk])
    wanted = [party.id for party in unread if not party.target]
    asked = list(dict.fromkeys(wanted))[:MAX_READ]
    parcel.found.update({(job.pk, entity): set(asked) for job in jobs})
    return BY_IDS[entity](asked) if asked else Next("party")


def parties_read(entity: Entity, parcel: Parcel, job: Job, records: dict[str, Record]) -> Outcome:
    """Keep what can travel of each; one that is deleted or hidden stays behind, and staff see a warning."""
    deal = parcel.unpack(job, DealData)
    missing = []
    for party in deal.unread(entity):
        if party.id in records:
            party.fields = portable_fields(entity, records[party.id])
        elif party.id in parcel.found[job.pk, entity]:
            missing.append(party)
    for party in missing:
        deal.leave_out(party)
    parcel.pack(job, deal)
    words = {"ids": ", ".join(party.id for party in missing), "portal": job.route.source}
    warning = _(NOT_FOUND[entity]) % words
    step = next_step(parcel, job)
    return Next(step.step, warning=warning) if missing and isinstance(step, Next) else step


def leave_unread(entity: Entity, parcel: Parcel, jobs: list[Job]) -> Outcome:
    """They cannot be read: the deal goes without them."""
    deal = parcel.unpack(jobs[0], DealData)
    for party in deal.unread(entity):
        deal.leave_out(party)
    parcel.pack(jobs[0], deal)
    return next_step(parcel, jobs[0])


def portable_fields(entity: Entity, record: Record) -> dict[str, Any]:
    """What of a contact or company another portal can take; the portal's own row IDs stay behind."""
    fields: dict[str, Any] = {name: record[name] for name in PORTABLE_FIELDS[entity] if record.get(name)}
    for name in MULTIFIELDS:
        rows = [{key: row[key] for key in ("VALUE", "VALUE_TYPE")} for row in record.get(name) or []]
        fields |= {name: rows} if rows else {}
    return fields or {PORTABLE_FIELDS[entity][0]: f"№{record['ID']}"}


def _step_that_reads(entity: Entity, label: Text, *, fallback_step: str) -> Step:
    return Step(
        label=label,
        calls="source",
        method="crm.item.list",
        request=partial(read_parties, entity),
        read=crm.read_contacts if entity == "contact" else crm.read_companies,
        on_response=partial(parties_read, entity),
        group=MAX_READ,
        fallback_step=fallback_step,
        retry_from="fetch",
        folds=True,
    )


def _step_without(entity: Entity, label: Text) -> Step:
    return Step(
        label=label,
        calls="source",
        method="crm.item.list",
        request=partial(leave_unread, entity),
        on_response=lambda _, __, ___: Next("fetch"),
    )


STEPS = {
    "contacts": _step_that_reads(
        "contact", gettext_lazy("reading the contacts"), fallback_step="without_contacts"
    ),
    "companies": _step_that_reads(
        "company", gettext_lazy("reading the company"), fallback_step="without_companies"
    ),
    "without_contacts": _step_without("contact", gettext_lazy("going on without contacts")),
    "without_companies": _step_without("company", gettext_lazy("going on without the company")),
}
