"""The portal as leads need it: they are switched on there, and it has the stages that we write.

It is asked once, and remembered for a while. In the simple CRM mode a lead becomes a deal at once and its ID
leads nowhere; a stage that the portal does not have it leaves out without a word.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis.exceptions import RedisError

from sync.connectors.bitrix24 import crm
from sync.connectors.rabbitmq import leads
from sync.connectors.types import Answer, Command
from sync.errors import NeedsStaff
from sync.flows.contract import Next, Parcel, Step
from sync.flows.leads.routing import FIRST
from sync.models import Job

STAGES = "stages"
"""Where a parcel keeps the stages that are remembered, if any, and a job's data those just looked up."""

STAGE = "STATUS_ID"
KEPT_AS, KEPT_SECONDS = "lead-stages-%d", 600
QUESTIONS = 2
SHOWN = 10

STEP_OF = {word: FIRST[action] for action, (_pattern, word) in leads.PATTERNS.items()}
"""What a request asks for, in its own word → the step its job begins at."""


def look_first(parcel: Parcel, job: Job, fields: dict[str, Any]) -> Next | None:
    """The look at the portal that must come before these fields are written; None when all is known.

    Raises NeedsStaff for a stage that the portal does not have; what is remembered may be old, so that is
    said only after a look of the job's own.
    """
    data: dict[str, Any] = parcel.data.get(job.pk, {})
    looked_up, stage = data.get(STAGES), fields.get(STAGE)
    known = _remembered(parcel, job) if looked_up is None else looked_up
    if known is not None and (stage is None or str(stage) in known):
        return None
    if looked_up is None:
        return Next("crm_mode", keeps_attempts=True)
    raise NeedsStaff(
        _(
            'Route %(route)s, user %(user)s: %(portal)s has no lead stage "%(stage)s". It has: %(known)s. '
            "Map it to one of them on the route (field STATUS_ID), or make it there, then press Retry."
        )
        % {
            "route": job.route.slug,
            "user": job.source_id,
            "portal": job.route.target,
            "stage": stage,
            "known": ", ".join(list(looked_up)[:SHOWN]),
        }
    )


def request_mode(parcel: Parcel, jobs: list[Job]) -> tuple[Command, ...] | Next:
    """Mode and stages, asked for up to 50 jobs at once; what the request has no room for asks again."""
    asked = parcel.found.get(request_mode, 0)
    if asked >= max(1, parcel.room // QUESTIONS):
        return Next("crm_mode", keeps_attempts=True)
    parcel.found[request_mode] = asked + 1
    return crm.crm_mode(), crm.lead_stages()


def on_mode(parcel: Parcel, job: Job, answers: list[Answer]) -> Next:
    """Go on where the request begins; NeedsStaff when the portal has no leads."""
    mode, stages = (answer.result() for answer in answers)
    if not crm.read_has_leads(mode):
        raise NeedsStaff(
            _(
                "%(portal)s has no leads: it works in the simple CRM mode and makes a deal of every lead at "
                "once, so that nobody can find it again. Switch leads on in the portal's CRM settings, or "
                "let the route end at another portal, then press Retry."
            )
            % {"portal": job.route.target}
        )
    known = crm.read_stages(stages)
    if STAGES not in parcel.found:
        parcel.found[STAGES] = known
        transaction.on_commit(partial(_remember, job.portal_id, known))
    parcel.pack(job, {**parcel.data.get(job.pk, {}), STAGES: known})
    return Next(STEP_OF[job.params["action"]], keeps_attempts=True)


def _remembered(parcel: Parcel, job: Job) -> dict[str, str] | None:
    """Asked for once a parcel. The cache may be away: then the portal is asked more often."""
    if STAGES not in parcel.found:
        parcel.found[STAGES] = None
        with suppress(RedisError, OSError):
            parcel.found[STAGES] = cache.get(KEPT_AS % job.portal_id)
    known: dict[str, str] | None = parcel.found[STAGES]
    return known


def _remember(portal_id: int, stages: dict[str, str]) -> None:
    with suppress(RedisError, OSError):
        cache.set(KEPT_AS % portal_id, stages, KEPT_SECONDS)


STEPS = {
    "crm_mode": Step(
        label=gettext_lazy("asking whether the portal has leads, and which stages"),
        calls="target",
        method="crm.settings.mode.get",
        request=request_mode,
        on_response=on_mode,
        group=50,
        blocks_others=True,
    ),
}
