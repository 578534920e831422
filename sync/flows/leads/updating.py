"""Changing a lead: all that the request says of the user, or only its stage.

The lead is the one we know, else the one that the request names, else one with our stamp; a user who has none
gets one. Nothing is dropped because it came too early.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.errors import Refused
from sync.flows.contract import Done, Next, Outcome, Parcel, Step
from sync.flows.leads.crm_mode import STAGE, look_first
from sync.flows.leads.mapping import Row, as_changes, fields_of
from sync.flows.leads.records import intend, join, lead_of
from sync.models import Job

ROWS = "rows"
"""In the data of a job: the phones and the like that the lead has."""

FIND = Next("find_lead", keeps_attempts=True)


def read(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The phones of up to 50 leads in one command."""
    ids = dict.fromkeys(filter(None, (lead_of(parcel, job) for job in jobs)))
    return crm.lead_contacts(list(ids)) if ids else FIND


def has_read(parcel: Parcel, job: Job, contacts: dict[str, dict[str, list[Row]]]) -> Outcome:
    """Keep the rows for the update; a user without a lead is looked for, then gets one."""
    lead_id = lead_of(parcel, job)
    if not lead_id:
        return FIND
    if lead_id not in contacts:
        raise Refused(
            _(
                "Lead %(lead)s of user %(user)s is not on %(portal)s: it was deleted, or the webhook's owner "
                "may not read it. Restore it or give the right, or correct the mapping, then press Retry."
            )
            % {"lead": lead_id, "user": job.source_id, "portal": job.route.target}
        )
    join(parcel, job, lead_id)
    parcel.pack(job, {**parcel.data.get(job.pk, {}), ROWS: contacts[lead_id]})
    return Next("update_lead", keeps_attempts=True)


def update(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """Name, phone and stage as the request has them."""
    job = jobs[0]
    changes = as_changes(fields_of(parcel, job, writing="update"), parcel.data[job.pk][ROWS])
    if not changes:
        return changed(parcel, job, None)
    return look_first(parcel, job, changes) or crm.lead_update(lead_of(parcel, job), changes)


def move(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """The stage alone."""
    job = jobs[0]
    lead_id = lead_of(parcel, job)
    if not lead_id:
        return FIND
    stage = fields_of(parcel, job, writing="update", only=STAGE).get(STAGE)
    if not stage:
        raise Refused(
            _("There is no stage to move to: neither the request nor the route's mapping names one.")
        )
    return look_first(parcel, job, {STAGE: stage}) or crm.lead_update(lead_id, {STAGE: stage})


def changed(parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The lead has the values."""
    join(parcel, job, lead_of(parcel, job))
    return Done()


STEPS = {
    "read_lead": Step(
        label=gettext_lazy("reading the lead's phones"),
        calls="target",
        method="crm.lead.list",
        prepare=intend,
        request=read,
        read=crm.read_lead_contacts,
        on_response=has_read,
        group=50,
    ),
    "update_lead": Step(
        label=gettext_lazy("updating the lead"),
        calls="target",
        method="crm.lead.update",
        prepare=intend,
        request=update,
        on_response=changed,
        verify_step="read_lead",  # a number that was added would be added again
        retry_from="crm_mode",
    ),
    "move_lead": Step(
        label=gettext_lazy("moving the lead to its stage"),
        calls="target",
        method="crm.lead.update",
        prepare=intend,
        request=move,
        on_response=changed,
        retry_from="crm_mode",
    ),
}
