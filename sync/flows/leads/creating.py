"""A new lead, exactly once a user."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.rabbitmq import leads
from sync.connectors.types import Command
from sync.errors import Refused
from sync.flows.contract import Done, Next, Outcome, Parcel, Step
from sync.flows.leads.crm_mode import look_first
from sync.flows.leads.finding import SOUGHT
from sync.flows.leads.mapping import as_new, fields_of
from sync.flows.leads.records import intend, join, join_new, lead_of, link_of
from sync.flows.leads.routing import has_phone
from sync.models import Job


def add(parcel: Parcel, jobs: list[Job]) -> Command | Outcome:
    """A lead with our stamp. Where there is one, it stays as it is: a request that is repeated may be old.

    Whoever finds an intent of another job looks first: that one's create may have run.
    """
    job = jobs[0]
    if lead_id := lead_of(parcel, job):
        return _known(parcel, job, lead_id)
    is_ours = link_of(parcel, job).maker_job_id == job.pk
    if not is_ours and SOUGHT not in parcel.data.get(job.pk, {}):
        return Next("find_lead", keeps_attempts=True)
    if not has_phone(job.params["user"]):  # a move may come without one
        raise Refused(leads.MISSING_PHONE)
    fields = fields_of(parcel, job, writing="create")
    stamp = {"ORIGINATOR_ID": job.route.stamp, "ORIGIN_ID": job.source_id}
    return look_first(parcel, job, fields) or crm.lead_add({**as_new(fields), **stamp})


def added(parcel: Parcel, job: Job, lead_id: str) -> Outcome:
    """The lead is there: the intent becomes a link."""
    join_new(parcel, job, lead_id)
    return Done()


def _known(parcel: Parcel, job: Job, lead_id: str) -> Done:
    join(parcel, job, lead_id)
    return Done(note=_("The user has lead %(lead)s already; it was left as it is.") % {"lead": lead_id})


STEPS = {
    "add_lead": Step(
        label=gettext_lazy("creating the lead"),
        calls="target",
        method="crm.lead.add",
        prepare=intend,
        request=add,
        read=crm.read_added,
        on_response=added,
        verify_step="find_lead",
        retry_from="find_lead",
    ),
}
