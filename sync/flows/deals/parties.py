"""Contacts and companies of a deal, read on the source portal: many deals' in one command of 50."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command, Record
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.next_step import FIELD_OF, Party, leave_out, onward, parties_of
from sync.flows.deals.options import Carry
from sync.models import Job, Link, Route

READ_AT_ONCE = 50
KEPT = {
    "contact": ("NAME", "LAST_NAME", "SECOND_NAME", "POST"),
    "company": ("TITLE",),
}
"""What of them travels beside phones and e-mails. Who is responsible, notes and user fields stay."""

LEFT_BEHIND = {
    "contact": gettext_noop(
        "Without contact %(ids)s: not on %(portal)s, or hidden from the webhook's owner."
    ),
    "company": gettext_noop(
        "Without company %(ids)s: not on %(portal)s, or hidden from the webhook's owner."
    ),
}
BEING_BROUGHT = {
    "contact": gettext_noop("Another deal is just bringing contact %(id)s of %(portal)s."),
    "company": gettext_noop("Another deal is just bringing company %(id)s of %(portal)s."),
}
REACHED_BY: tuple[Literal["PHONE", "EMAIL"], ...] = ("PHONE", "EMAIL")
BY_IDS: dict[str, Callable[[Sequence[str]], Command]] = {
    "contact": crm.contacts_by_ids,
    "company": crm.companies_by_ids,
}


def ids_of(carry: Carry, record: Record) -> dict[str, list[str]]:
    """Entity → IDs on the deal that travel, the primary contact first; entities without any are missing."""
    ids: dict[str, list[str]] = {}
    if carry.contacts:
        primary = [record["CONTACT_ID"]] if record.get("CONTACT_ID") else []
        ids["contact"] = list(dict.fromkeys([*primary, *(record.get("CONTACT_IDS") or [])]))
    if carry.companies and record.get("COMPANY_ID"):
        ids["company"] = [record["COMPANY_ID"]]
    return {entity: found for entity, found in ids.items() if found}


def to_carry(ids: Mapping[str, list[str]], known: Mapping[str, list[str]]) -> list[Party]:
    """The parties of a deal whose target does not have them yet, all of an entity or none.

    `known`: the deal's field → the IDs it was last written for. While they are the same, what staff of the
    target have done to its contacts stays.
    """
    return [
        {"entity": entity, "id": one}
        for entity, found in ids.items()
        if known.get(FIELD_OF[entity]) != found
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
    return {link.source_id: target_of(link) for link in links}


def target_of(link: Link) -> str:
    """The linked party's ID; several here may be one there, and only one link holds it in its column."""
    return link.target_id or str(link.params.get("target") or "")


def read_parties(entity: str, parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """Those of up to 50 deals that are not linked yet; what does not fit is asked for the next time."""
    unread = {job.pk: _unread(parcel, job, entity) for job in jobs}
    known = targets_of(jobs[0].route, entity, {one["id"] for found in unread.values() for one in found})
    for job in jobs:
        for party in unread[job.pk]:
            party["target"] = known.get(party["id"], "")
        parcel.pack(job, parcel.data[job.pk])
    wanted = [one["id"] for job in jobs for one in unread[job.pk] if not one["target"]]
    asked = list(dict.fromkeys(wanted))[:READ_AT_ONCE]
    parcel.found.update({(job.pk, entity): set(asked) for job in jobs})
    return BY_IDS[entity](asked) if asked else Next("party")


def parties_read(entity: str, parcel: Parcel, job: Job, records: dict[str, Record]) -> Outcome:
    """Keep what can travel of each; one that is deleted or hidden stays behind, and staff are told."""
    missing = []
    for party in _unread(parcel, job, entity):
        if party["id"] in records:
            party["fields"] = portable(entity, records[party["id"]])
        elif party["id"] in parcel.found[job.pk, entity]:
            missing.append(party)
    for party in missing:
        leave_out(parcel, job, party)
    parcel.pack(job, parcel.data[job.pk])
    words = {"ids": ", ".join(party["id"] for party in missing), "portal": job.route.source}
    warning = _(LEFT_BEHIND[entity]) % words
    step = onward(parcel, job)
    return Next(step.step, warning=warning) if missing and isinstance(step, Next) else step


def leave_unread(entity: str, parcel: Parcel, jobs: list[Job]) -> Outcome:
    """They cannot be read: the deal goes without them."""
    for party in _unread(parcel, jobs[0], entity):
        leave_out(parcel, jobs[0], party)
    return onward(parcel, jobs[0])


def portable(entity: str, record: Record) -> dict[str, Any]:
    """What of a contact or company another portal can take; the portal's own row IDs stay behind."""
    fields: dict[str, Any] = {name: record[name] for name in KEPT[entity] if record.get(name)}
    for name in REACHED_BY:
        rows = [{key: row[key] for key in ("VALUE", "VALUE_TYPE")} for row in record.get(name) or []]
        fields |= {name: rows} if rows else {}
    return fields or {KEPT[entity][0]: f"№{record['ID']}"}


def _unread(parcel: Parcel, job: Job, entity: str) -> list[Party]:
    return [
        party
        for party in parties_of(parcel.data[job.pk])
        if party["entity"] == entity and not (party.get("target") or party.get("fields"))
    ]


def _reading(entity: str, *, fallback_step: str) -> Step:
    return Step(
        calls="source",
        method="crm.item.list",
        request=partial(read_parties, entity),
        read=crm.read_contacts if entity == "contact" else crm.read_companies,
        on_response=partial(parties_read, entity),
        group=READ_AT_ONCE,
        fallback_step=fallback_step,
        retry_from="fetch",
        folds=True,
    )


def _leaving(entity: str) -> Step:
    return Step(
        calls="source",
        method="crm.item.list",
        request=partial(leave_unread, entity),
        on_response=lambda _, __, ___: Next("fetch"),
    )


STEPS = {
    "contacts": _reading("contact", fallback_step="without_contacts"),
    "companies": _reading("company", fallback_step="without_companies"),
    "without_contacts": _leaving("contact"),
    "without_companies": _leaving("company"),
}
