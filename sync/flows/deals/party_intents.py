"""The intents to create contacts and companies: one Link each, which one job works on."""

from __future__ import annotations

from sync.flows.contract import Parcel
from sync.flows.deals.data import DealData, Party
from sync.flows.deals.options import options_of
from sync.flows.deals.parties import targets_of
from sync.models import Job, Link

STEPS_OF_MAKER = ("party", "add_party", "seek_party")
"""The steps in which a job works on an intent of its own; elsewhere it may be taken over."""

Key = tuple[int, str, str]
"""Route ID, entity, source ID."""


def intend(parcel: Parcel) -> None:
    """Fill in what is linked meanwhile, and write the intent for each job's first party that is not.

    `parcel.found`: job ID → the Link of that party.
    """
    _fill_in(parcel)
    firsts = [(job, party) for job in parcel.jobs if (party := parcel.unpack(job, DealData).unknown_party())]
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
            deal = parcel.unpack(taker, DealData)
            if party := deal.unknown_party():
                party.is_new = False  # the former maker's create may have run
            parcel.pack(taker, deal)
