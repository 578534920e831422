"""Users of the core as leads of a Bitrix24 portal, each request answered by a reply.

user created ── add_lead ─▶ new lead                              (answer lost: find_lead)
user updated ── read_lead ─ update_lead ─▶ lead                   (answer lost: read_lead)
user moved ──── move_lead ─▶ lead
  no lead known ── find_lead ─ add_lead ─▶ new lead
  portal not known ── crm_mode: has it leads, and which stages?
"""

from sync.flows.contract import Flow
from sync.flows.leads import creating, crm_mode, finding, updating
from sync.flows.leads.checkup import CHECKUP
from sync.flows.leads.records import ENTITY
from sync.flows.leads.replies import tell
from sync.flows.leads.routing import FIRST, backfill, sort
from sync.policies.retry import RetryPolicy

FLOW = Flow(
    sort=sort,
    backfill=backfill,
    steps={**creating.STEPS, **updating.STEPS, **finding.STEPS, **crm_mode.STEPS},
    entity=ENTITY,
    retry=RetryPolicy(max_attempts=3),
    tell=tell,
    checkup=CHECKUP,
    first={"source": FIRST["create"]},
    usual_next={"crm_mode": "add_lead", "find_lead": "add_lead", "read_lead": "update_lead"},
)
