"""Looking for the lead of a user by our stamp: after a lost answer, or when nobody knows of one."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.rabbitmq import leads
from sync.connectors.types import Command
from sync.flows.contract import Done, Next, Outcome, Parcel, Step
from sync.flows.leads.crm_mode import STEP_OF
from sync.flows.leads.records import intend, join, lead_of
from sync.models import Job

SOUGHT = "sought"
"""In the data of a job: we have looked, and there was no lead."""

CREATE = leads.PATTERNS["create"][1]


def find(_: Parcel, jobs: list[Job]) -> Command:
    """Leads with our stamp, for up to 50 users of a route in one command."""
    return crm.leads_by_origin(jobs[0].route.stamp, [job.source_id for job in jobs])


def found(parcel: Parcel, job: Job, origins: dict[str, list[str]]) -> Outcome:
    """Adopt what is there, unless a lead is known meanwhile; create only when there is nothing."""
    if lead_of(parcel, job):
        return _onward(job)
    ids = sorted(origins.get(job.source_id, []), key=int)
    if not ids:
        parcel.pack(job, {SOUGHT: True})  # and no stages: Retry comes this way, and looks at them again
        return Next("add_lead", keeps_attempts=True)
    join(parcel, job, ids[0])
    note = _("Lead %(lead)s was there already, with our stamp; it is adopted.") % {"lead": ids[0]}
    if ids[1:]:
        note += " " + _("There are more with the same origin: %(ids)s.") % {"ids": ", ".join(ids[1:])}
    return Done(note=note) if job.params["action"] == CREATE else _onward(job, note=note)


def _onward(job: Job, *, note: str = "") -> Next:
    return Next(STEP_OF[job.params["action"]], keeps_attempts=True, note=note)


STEPS = {
    "find_lead": Step(
        label=gettext_lazy("looking whether the lead is there"),
        calls="target",
        method="crm.lead.list",
        prepare=intend,
        request=find,
        read=crm.read_lead_origins,
        on_response=found,
        group=50,
    ),
}
