"""Which messages ask for work, and for which user; those that can never succeed are answered at once."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from sync.connectors.rabbitmq import leads
from sync.errors import Refused
from sync.flows.contract import Ignored, JobSpec, Side
from sync.flows.leads.replies import reply
from sync.models import CoreUser, Event, Message, Route
from sync.queue import outbox

KIND = "lead"

FIRST: dict[str, str] = {"create": "add_lead", "update": "read_lead", "move": "move_lead"}
"""What a request asks for → the step its job begins at."""

NEEDS_PHONE = ("create", "update")


def sort(_route: Route, side: Side, events: list[Event]) -> list[JobSpec | Ignored]:
    """A job for each request, however many of one user wait: each one gets its own reply.

    A request without a phone is answered here, in the transaction that sorts it: the reply needs no portal.
    """
    refusals: list[Message] = []
    decisions = [_decision(side, event, refusals) for event in events]
    outbox.put(refusals)
    return decisions


def backfill(source_id: str) -> JobSpec:
    """A user of our own core whose lead shall get the present values; Refused when there is none."""
    is_number = source_id.isascii() and source_id.isdecimal()
    user = CoreUser.objects.filter(pk=int(source_id)).first() if is_number else None
    if user is None:
        raise Refused(
            _(
                "There is no user %(user)s here. A core of your own sends its users again itself: let it "
                "publish them as updated."
            )
            % {"user": source_id}
        )
    known = {"id": user.pk, "full_name": user.full_name, "phone": user.phone, "stage": user.stage}
    _pattern, word = leads.PATTERNS["update"]
    return JobSpec(KIND, source_id, FIRST["update"], {"action": word, "user": known, "reply_queue": ""})


def has_phone(user: dict[str, Any]) -> bool:
    """Whether the user of a request has a phone; a blank one is none."""
    return bool(str(user.get("phone") or "").strip())


def _decision(side: Side, event: Event, refusals: list[Message]) -> JobSpec | Ignored:
    if side == "target":
        return Ignored(_("What happens to leads does not travel back.") if event.entity == KIND else "")
    step = FIRST.get(event.action) if event.entity == leads.ENTITY else None
    if step is None:
        return Ignored(_("This route carries users; the event is about something else."))
    if event.action in NEEDS_PHONE and not has_phone(event.params["user"]):
        refusals.append(reply(event.params, leads.error(event.params, leads.MISSING_PHONE, 0)))
        return Ignored(_("The user has no phone: the request was answered with that error."))
    return JobSpec(KIND, event.record_id, step)
