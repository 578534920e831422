"""Contacts and companies on the target portal: found there or created, exactly once, before the deal is.

In this order: linked already → bearing our stamp (an earlier create may have run) → the same phone or
e-mail → created with our stamp. The intent, a Link in state creating, is written first and unique: of two
deals with the same new contact the second waits for the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext, gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.errors import NotYet
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.data import DealData, Entity, MultiField, Party
from sync.flows.deals.next_step import next_step
from sync.flows.deals.parties import IN_PROGRESS, MULTIFIELDS
from sync.flows.deals.party_intents import intend
from sync.models import Job, Link

MAKER_WAIT = 2.0
"""Seconds until we look again whether another deal's job has made the same contact."""

Builder = Callable[[Mapping[str, Any]], Command]
ADD: dict[Entity, Builder] = {"contact": crm.contact_add, "company": crm.company_add}
BY_ORIGIN: dict[Entity, Callable[[str, list[str]], Command]] = {
    "contact": crm.contacts_by_origin,
    "company": crm.companies_by_origin,
}
DUPLICATE_ENTITY: dict[Entity, Literal["CONTACT", "COMPANY"]] = {"contact": "CONTACT", "company": "COMPANY"}


def find_duplicates(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """Who on the target has the party's phone, or e-mail?"""
    job = jobs[0]
    party = _unknown_party(parcel, job)
    if party is None:
        return next_step(parcel, job)
    link = parcel.found[job.pk]
    if link.is_linked or not party.fields:
        return next_step(parcel, job)
    _wait_for_maker(job, link)
    if not party.is_new:
        return Next("seek_party")
    for name in _unasked(party):
        values = [row["VALUE"] for row in party.fields[name]][: crm.MAX_DUPLICATE_VALUES]
        return crm.duplicates_by(name, values, entity=DUPLICATE_ENTITY[party.entity])
    return Next("add_party")


def duplicates_found(parcel: Parcel, job: Job, found: dict[str, list[str]]) -> Outcome:
    """Adopt the oldest; without one ask by e-mail too, then create."""
    party = _current(parcel, job)
    if ids := found.get(DUPLICATE_ENTITY[party.entity], []):
        return _adopt(parcel, job, party, min(ids, key=int))
    party.asked = [*party.asked, next(_unasked(party))]
    parcel.pack(job, parcel.unpack(job, DealData))
    return Next("party" if any(_unasked(party)) else "add_party", keeps_attempts=True)


def add_party(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """A new contact or company with our stamp."""
    job = jobs[0]
    party = _unknown_party(parcel, job)
    if party is None or parcel.found[job.pk].is_linked or not party.is_new:
        return Next("party")
    _wait_for_maker(job, parcel.found[job.pk])
    stamp = {"ORIGINATOR_ID": job.route.stamp, "ORIGIN_ID": party.id}
    return ADD[party.entity]({**(party.fields or {}), **stamp})


def party_added(parcel: Parcel, job: Job, target_id: str) -> Outcome:
    """The intent becomes a link."""
    return _adopt(parcel, job, _current(parcel, job), target_id)


def find_by_stamp(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """An earlier create may have run: who bears our stamp?"""
    job = jobs[0]
    party = _unknown_party(parcel, job)
    if party is None or parcel.found[job.pk].is_linked:
        return Next("party")
    _wait_for_maker(job, parcel.found[job.pk])
    return BY_ORIGIN[party.entity](job.route.stamp, [party.id])


def found_by_stamp(parcel: Parcel, job: Job, origins: dict[str, list[str]]) -> Outcome:
    """Adopt what the lost call created; go on to match and create only when there is nothing."""
    party = _current(parcel, job)
    if ids := origins.get(party.id, []):
        return _adopt(parcel, job, party, min(ids, key=int))
    party.is_new = True
    parcel.pack(job, parcel.unpack(job, DealData))
    return Next("party", keeps_attempts=True)


def leave_out(parcel: Parcel, jobs: list[Job]) -> Outcome:
    """The target does not take it: the deal goes without; the intent is free for others, who look first."""
    job = jobs[0]
    if party := _unknown_party(parcel, job):
        link = parcel.found[job.pk]
        if link.maker_job_id == job.pk:
            link.maker_job_id = None
            parcel.touch(link, "maker_job")
        deal = parcel.unpack(job, DealData)
        deal.leave_out(party)
        parcel.pack(job, deal)
    return next_step(parcel, job)


def _unknown_party(parcel: Parcel, job: Job) -> Party | None:
    return parcel.unpack(job, DealData).unknown_party()


def _current(parcel: Parcel, job: Job) -> Party:
    party = _unknown_party(parcel, job)
    if party is None:
        raise LookupError(f"job {job.pk} has no party to work on")
    return party


def _unasked(party: Party) -> Iterator[MultiField]:
    for name in MULTIFIELDS:
        if (party.fields or {}).get(name) and name not in party.asked:
            yield name


def _adopt(parcel: Parcel, job: Job, party: Party, target_id: str) -> Outcome:
    link = parcel.found[job.pk]
    try:
        with transaction.atomic():
            Link.objects.filter(pk=link.pk).update(target_id=target_id)
        link.target_id = target_id
    except IntegrityError:  # two here are one there: the first link keeps the column
        link.alias_of = target_id
    link.state = Link.State.LINKED
    parcel.touch(link, "target_id", "state", "alias_of")
    party.target = target_id
    parcel.pack(job, parcel.unpack(job, DealData))
    return next_step(parcel, job)


def _wait_for_maker(job: Job, link: Link) -> None:
    if link.maker_job_id != job.pk:
        words = {"id": link.source_id, "portal": job.route.source}
        raise NotYet(gettext(IN_PROGRESS[link.entity]) % words, after=MAKER_WAIT)


_STEP = partial(Step, calls="target", prepare=intend, fallback_step="without_party", retry_from="fetch")
_FOLDING = partial(_STEP, folds=True)
STEPS = {
    "party": _FOLDING(
        label=gettext_lazy("looking for the contact or company"),
        method="crm.duplicate.findbycomm",
        request=find_duplicates,
        read=crm.read_duplicates,
        on_response=duplicates_found,
    ),
    "add_party": _FOLDING(
        label=gettext_lazy("creating the contact or company"),
        method="crm.item.add",
        request=add_party,
        read=crm.read_added,
        on_response=party_added,
        verify_step="seek_party",
    ),
    "seek_party": _STEP(
        label=gettext_lazy("looking whether the contact or company was created"),
        method="crm.item.list",
        request=find_by_stamp,
        read=crm.read_origins,
        on_response=found_by_stamp,
    ),
    "without_party": Step(
        label=gettext_lazy("going on without a contact or company"),
        calls="target",
        method="crm.item.add",
        prepare=intend,
        request=leave_out,
        on_response=lambda _, __, ___: Next("party"),
    ),
}
