"""The lead of a job's user: the intent before it exists, the link once its ID is known."""

from __future__ import annotations

from django.utils.translation import gettext as _

from sync.connectors.rabbitmq import leads
from sync.errors import NeedsStaff
from sync.flows.contract import Parcel
from sync.models import Job, Link

ENTITY = "lead"
TAKEN = "taken"
"""Where a parcel keeps whose each lead is: (route ID, lead ID) → user ID."""


def intend(parcel: Parcel) -> None:
    """Write the intent before the call: a Link in state creating, unique for its user, that names its job."""
    missing = [job for job in parcel.jobs if parcel.link(job) is None]
    intents = [
        Link(route_id=job.route_id, entity=ENTITY, source_id=job.source_id, maker_job_id=job.pk)
        for job in missing
    ]
    Link.intend(intents, now=parcel.now)
    parcel.load_links(missing)
    parcel.found[TAKEN] = _owners(parcel)


def link_of(parcel: Parcel, job: Job) -> Link:
    """The link of the job's user, linked or not."""
    return parcel.links[job.route_id, job.source_id]


def lead_of(parcel: Parcel, job: Job) -> str:
    """The ID of the user's lead: as we know it, else as the request tells it, else ""."""
    link = link_of(parcel, job)
    return str(link.target_id) if link.is_linked else _told(job)


def join_new(parcel: Parcel, job: Job, lead_id: str) -> None:
    """The user's lead is this one, which was created just now: nobody else's."""
    parcel.found[TAKEN][job.route_id, lead_id] = job.source_id
    join(parcel, job, lead_id)


def join(parcel: Parcel, job: Job, lead_id: str) -> None:
    """The user's lead is this one; NeedsStaff when it is mapped to another user."""
    link = link_of(parcel, job)
    if not link.is_linked and (owner := _owner(parcel, job, lead_id)) != job.source_id:
        raise NeedsStaff(
            _(
                "Lead %(lead)s of %(portal)s should belong to user %(user)s, but is mapped to user "
                "%(other)s. Correct the mapping, then press Retry."
            )
            % {"lead": lead_id, "portal": job.route.target, "user": job.source_id, "other": owner}
        )
    link.target_id = job.target_id = lead_id
    link.state = Link.State.LINKED
    parcel.touch(link, "target_id", "state")


def _told(job: Job) -> str:
    message = str(job.params["user"].get("bitrix_lead_id") or "").strip()
    is_id = message.isascii() and message.isdecimal() and len(message) <= leads.MAX_LEAD_ID
    return message if is_id and int(message) else ""


def _owner(parcel: Parcel, job: Job, lead_id: str) -> str:
    """Whose the lead is; whoever of a parcel asks first gets a free one."""
    owners: dict[tuple[int, str], str] = parcel.found[TAKEN]
    key = (job.route_id, lead_id)
    if key not in owners:
        links = Link.objects.filter(route=job.route_id, entity=ENTITY, target_id=lead_id)
        owners[key] = links.values_list("source_id", flat=True).first() or job.source_id
    return owners[key]


def _owners(parcel: Parcel) -> dict[tuple[int, str], str]:
    """Whose the leads are that requests tell of; one query a route."""
    owner_of_lead: dict[int, dict[str, str]] = {}
    for job in parcel.jobs:
        if not link_of(parcel, job).is_linked and (lead_id := _told(job)):
            owner_of_lead.setdefault(job.route_id, {}).setdefault(lead_id, job.source_id)
    owners = {
        (route_id, lead): user for route_id, users in owner_of_lead.items() for lead, user in users.items()
    }
    for route_id, users in owner_of_lead.items():
        links = Link.objects.filter(route=route_id, entity=ENTITY, target_id__in=users)
        owners |= {(route_id, str(link.target_id)): link.source_id for link in links}
    return owners
