"""Deals between two independent Bitrix24 portals: the main job.

source                                        target
deal changed ── fetch ─ [file …] ─┬─ create ─▶ new deal          (answer lost: find)
                                  └─ update ─▶ linked deal
comment and stage ◀───────────────────────────  the deal has arrived (once a deal)
card ◀── report ◀─ [look] ◀──────────────────── the dealer's status, comment, parameters
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Listing
from sync.flows.contract import Flow
from sync.flows.deals import (
    comments,
    delivery,
    feedback,
    parties,
    party_matching,
    products,
    reading,
    report_back,
)
from sync.flows.deals.checkup import CHECKUP
from sync.flows.deals.forecast import USUAL_NEXT, usual_next_on
from sync.flows.deals.form import FORM
from sync.flows.deals.missed_changes import missed
from sync.flows.deals.options import DealOptions
from sync.flows.deals.routing import backfill, sort
from sync.flows.declarations import Ends, JobKind, MappingTable

NAME = "deals"
"""Its name in the registry, and on routes."""

COMMENTS = "comments"


def merge(old: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of two webhooks about one deal: the later wins, but every comment is kept."""
    merged = {**old, **new}
    texts = [str(params[COMMENTS]) for params in (old, new) if params.get(COMMENTS)]
    if texts:
        merged[COMMENTS] = "\n".join(dict.fromkeys(texts))
    return merged


ABOUT_DEAL = partial(JobKind, events=_("Webhooks about this deal; several may have joined this job:"))
OF_DEAL = partial(ABOUT_DEAL, source="deal", target="deal", link="deal", mapping=_("Deal mapping"))
KINDS = {
    "deal": OF_DEAL(label=_("delivery of a deal")),
    "feedback": OF_DEAL(label=_("feedback to the source"), arrow="←"),
    "comment": ABOUT_DEAL(label=_("comment for the target"), mark="💬"),
    "comment_back": ABOUT_DEAL(label=_("comment for the source"), mark="💬"),
}

FLOW = Flow(
    label=_("Deals"),
    kinds=KINDS,
    ends=Ends(source=("bitrix24",), target=("bitrix24",)),
    options=DealOptions,
    feedback_options=("comment", "stage"),
    form=FORM,
    mappings={
        "forward": MappingTable(_("field of the target's deal"), _("Field mapping: source → target")),
        "back": MappingTable(_("field of the source's deal"), _("Field mapping: target → source")),
    },
    sort=sort,
    backfill=backfill,
    merge=merge,
    missed=missed,
    listing=Listing(newest=crm.newest_deal, between=crm.deals_between, read=crm.read_listed, page=50),
    steps={
        **reading.STEPS,
        **parties.STEPS,
        **products.STEPS,
        **party_matching.STEPS,
        **delivery.STEPS,
        **report_back.STEPS,
        **feedback.STEPS,
        **comments.STEPS,
    },
    checkup=CHECKUP,
    first={"source": "fetch", "target": "report"},
    usual_next=USUAL_NEXT,
    usual_next_on=usual_next_on,
)
