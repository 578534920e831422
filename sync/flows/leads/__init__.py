"""Users of the core as leads of a Bitrix24 portal, each request answered by a reply.

user created ── add_lead ─▶ new lead                              (answer lost: find_lead)
user updated ── read_lead ─ update_lead ─▶ lead                   (answer lost: read_lead)
user moved ──── move_lead ─▶ lead
  no lead known ── find_lead ─ add_lead ─▶ new lead
  portal not known ── crm_mode: has it leads, and which stages?
"""

from django.utils.translation import gettext_lazy as _

from sync.flows.contract import Flow
from sync.flows.declarations import Ends, JobKind, MappingTable
from sync.flows.leads import creating, crm_mode, finding, updating
from sync.flows.leads.checkup import CHECKUP
from sync.flows.leads.records import ENTITY
from sync.flows.leads.replies import notify
from sync.flows.leads.routing import FIRST, KIND, backfill, sort
from sync.policies.retry import RetryPolicy

NAME = "leads"
"""Its name in the registry, and on routes."""

HINT = _(
    "Without a mapping a lead gets NAME from full_name, PHONE from phone and STATUS_ID from stage. A row for "
    "one of these fields takes its place; other fields may be added. A request brings the parameters id, "
    "full_name, phone and stage."
)

FLOW = Flow(
    label=_("Leads"),
    kinds={
        KIND: JobKind(
            label=_("lead of a user"),
            target="lead",
            link=ENTITY,
            mapping=_("Lead mapping"),
            events=_("Requests about this user, each with a job of its own:"),
        )
    },
    ends=Ends(
        source=("core",),
        target=("bitrix24",),
        not_a_source=_("leads come from the users API: take its portal, of kind core"),
        only_one=_("a user has one lead, and route “%(slug)s” carries it"),
    ),
    hint=HINT,
    mappings={"forward": MappingTable(_("field of the lead"), _("Field mapping: user → lead"))},
    sort=sort,
    backfill=backfill,
    steps={**creating.STEPS, **updating.STEPS, **finding.STEPS, **crm_mode.STEPS},
    entity=ENTITY,
    retry=RetryPolicy(max_attempts=3),
    notify=notify,
    checkup=CHECKUP,
    first={"source": FIRST["create"]},
    usual_next={"crm_mode": "add_lead", "find_lead": "add_lead", "read_lead": "update_lead"},
)
