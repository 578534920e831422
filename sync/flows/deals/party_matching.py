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
from django.utils.translation import gettext

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.errors import NotYet
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.data import DealData, Entity, MultiField, Party
from sync.flows.deals.next_step import next_step
from sync.flows.deals.options import options_of
from sync.flows.deals.parties import IN_PROGRESS, MULTIFIELDS, targets_of
from sync.models import Job, Link

MAKER_WAIT = 2.0
"""Seconds until we look again whether another deal's job has made the same contact."""

STEPS_OF_MAKER = ("party", "add_party", "seek_party")
"""The steps in which a job works on an intent of its own; elsewhere it may be taken over."""

Key = tuple[int, str, str]
"""Route ID, entity, source ID."""

Builder = Callable[[Mapping[str, Any]], Command]
ADD: dict[Entity, Builder] = {"contact": crm.contact_add, "company": crm.company_add}
BY_ORIGIN: dict[Entity, Callable[[str, list[str]], Command]] = {
    "contact": crm.contacts_by_origin,
    "company": crm.companies_by_origin,
}
DUPLICATE_ENTITY: dict[Entity, Literal["CONTACT", "COMPANY"]] = {"contact": "CONTACT", "company": "COMPANY"}


def intend(parcel: Parcel) -> None:
    """Fill in what is linked meanwhile, and write the intent for each job's first party that is not.

    `parcel.found`: job ID → the Link of that party.
    """
    _fill_in(parcel)
    firsts = [(job, party) for job in parcel.jobs if (party := _unknown_party(parcel, job))]
    before = set(_keys_of(_links(firsts)))
    fresh: dict[Key, Link] = {
        key: Link(route_id=job.route_id, entity=party.entity, source_id=party.id, maker_job_id=job.pk)
        for job, party in reversed(firsts)
        if (key := (job.route_id, party.entity, party.id)) not in before
    }
    Link.intend(list(fresh.values()), now=parcel.now)
    # locked only now: a lock on rows that are not there yet would bar other workers' intents
    after = _keys_of(_links(firsts, is_locked=True))
    for job, party in firsts:
        key = (job.route_id, party.entity, party.id)
        link = parcel.found[job.pk] = after[key]
        is_ours = key in fresh and link.maker_job_id == job.pk
        if is_ours and not options_of(parcel, job).look_first:
            party.is_new = True  # nobody can have created it
            parcel.pack(job, parcel.unpack(job, DealData))
    _take_over(parcel, [link for key, link in after.items() if key not in fresh])


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


def _fill_in(parcel: Parcel) -> None:
    """Parties that another deal has linked since this one was read; one query a route and entity."""
    open_ones: dict[tuple[int, str], list[tuple[Job, Party]]] = {}
    for job in parcel.jobs:
        for party in parcel.unpack(job, DealData).parties:
            if not party.target:
                open_ones.setdefault((job.route_id, party.entity), []).append((job, party))
    for (_, entity), found in open_ones.items():
        known = targets_of(found[0][0].route, entity, {party.id for _, party in found})
        for job, party in found:
            if party.id in known:
                party.target = known[party.id]
                parcel.pack(job, parcel.unpack(job, DealData))


def _links(firsts: list[tuple[Job, Party]], *, is_locked: bool = False) -> list[Link]:
    wanted: dict[tuple[int, str], list[str]] = {}
    for job, party in firsts:
        wanted.setdefault((job.route_id, party.entity), []).append(party.id)
    rows = Link.objects.select_for_update() if is_locked else Link.objects.all()
    return [
        link
        for (route_id, entity), ids in wanted.items()
        for link in rows.filter(route_id=route_id, entity=entity, source_id__in=ids)
    ]


def _keys_of(links: list[Link]) -> dict[Key, Link]:
    return {(link.route_id, link.entity, link.source_id): link for link in links}


def _take_over(parcel: Parcel, links: list[Link]) -> None:
    """Intents whose maker does not work on them any more go to the first job here that needs them."""
    waiting = [link for link in links if not link.is_linked]
    makers = {link.maker_job_id for link in waiting if link.maker_job_id}
    working = Job.objects.filter(pk__in=makers, state__in=Job.OPEN, step__in=STEPS_OF_MAKER)
    alive = set(working.values_list("pk", flat=True))
    for link in waiting:
        if link.maker_job_id not in alive:
            taker = next(job for job in parcel.jobs if parcel.found.get(job.pk) is link)
            link.maker_job_id = taker.pk
            link.save(update_fields=["maker_job"])
            _current(parcel, taker).is_new = False  # the former maker's create may have run
            parcel.pack(taker, parcel.unpack(taker, DealData))


_STEP = partial(Step, calls="target", prepare=intend, fallback_step="without_party", retry_from="fetch")
_FOLDING = partial(_STEP, folds=True)
STEPS = {
    "party": _FOLDING(
        method="crm.duplicate.findbycomm",
        request=find_duplicates,
        read=crm.read_duplicates,
        on_response=duplicates_found,
    ),
    "add_party": _FOLDING(
        method="crm.item.add",
        request=add_party,
        read=crm.read_added,
        on_response=party_added,
        verify_step="seek_party",
    ),
    "seek_party": _STEP(
        method="crm.item.list", request=find_by_stamp, read=crm.read_origins, on_response=found_by_stamp
    ),
    "without_party": Step(
        calls="target",
        method="crm.item.add",
        prepare=intend,
        request=leave_out,
        on_response=lambda _, __, ___: Next("party"),
    ),
}
