"""The core role: users, the requests about them to the bitrix role, and its replies.

A user and the message about them are committed together: no message without its user, no user without its
message. `publisher.send` sends the messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from sync.connectors.rabbitmq import leads
from sync.errors import Malformed
from sync.messaging import phones
from sync.models import CoreUser, IdempotentResponse, Message
from sync.queue import outbox

IDEMPOTENCY_KEPT = timedelta(hours=24)
"""How long at least the same Idempotency-Key gets the same answer."""

PRUNED_AT_ONCE = 1000

MAX_LOOKED_UP = 1000
"""Matches that are looked up in the index; of more of them, enough are met on the way."""

MAX_NUMBER = 15
"""Digits of a phone number in E.164."""

SENT = ("full_name", "phone", "stage")
"""What requests say about a user."""

Wake = Callable[[], object]
"""Wakes a worker that sends the messages; None: it is woken before the work returns."""

_NUMBER = re.compile(r"[+\d][\d\s().-]*")


@transaction.atomic(savepoint=False)
def create(fields: Mapping[str, str], *, wake: Wake | None = None) -> CoreUser:
    """A new user of `full_name`, `phone` (E.164) and `stage`, whose lead is asked for."""
    user = CoreUser.objects.create(**fields)
    _request_lead("create", user, wake)
    return user


@transaction.atomic(savepoint=False)
def change(user_id: int, fields: Mapping[str, str], *, wake: Wake | None = None) -> CoreUser:
    """The user with these fields; nothing is asked for when they are like that already.

    Raises CoreUser.DoesNotExist.
    """
    user = _locked(user_id)
    changed = [name for name, value in fields.items() if getattr(user, name) != value]
    if changed:
        _write(user, {name: fields[name] for name in changed})
        _request_lead("update", user, wake)
    return user


@transaction.atomic(savepoint=False)
def move(user_id: int, stage: str, *, wake: Wake | None = None) -> CoreUser:
    """The user at this stage; the lead is moved even from where it is thought to be already, because a
    manager may have moved it in Bitrix24. Raises CoreUser.DoesNotExist.
    """
    user = _locked(user_id)
    _write(user, {"stage": stage})
    _request_lead("move", user, wake)
    return user


def record_reply(reply: leads.LeadReply, *, keeps_lanes: bool = True) -> None:
    """Note what the bitrix role says of a user's lead; raises Malformed when there is no such user. To be
    called in a transaction.

    An error never takes a lead's ID away: the lead is still there, only the last request failed.
    `keeps_lanes`: the bitrix role lets no request overtake another; the original drops what comes before the
    lead exists, so the user is sent to it again with the first reply about the lead.
    """
    is_number = reply.user_id.isascii() and reply.user_id.isdecimal()
    rows = CoreUser.objects.filter(pk=int(reply.user_id) if is_number else 0)  # 0 is nobody's
    was = None if keeps_lanes or not reply.is_success else rows.select_for_update().first()
    changes: dict[str, Any] = {"replied_at": timezone.now()}
    if reply.is_success:
        changes |= {
            "lead_state": CoreUser.LeadState.LINKED,
            "lead_reason": "",
            "bitrix_lead_id": reply.lead_id,
        }
    else:
        changes |= {"lead_state": CoreUser.LeadState.FAILED, "lead_reason": reply.reason}
    if not rows.update(**changes):
        raise Malformed(f"There is no user {reply.user_id!r}.")
    if (
        was
        and was.bitrix_lead_id is None
        and any(reply.user.get(name) != getattr(was, name) for name in SENT)
    ):
        was.bitrix_lead_id = reply.lead_id
        _write(was, {})
        _request_lead("update", was, None)


def search(users: QuerySet[CoreUser], term: str) -> QuerySet[CoreUser]:
    """Those whose name holds the term; if it is a number, those with this ID or a phone that begins so.

    Of few that match, an index alone tells the IDs. Of many, a page is found sooner from the newest user
    backwards; the expression keeps the database from sorting all of them first.
    """
    is_number = bool(_NUMBER.fullmatch(term))
    column, matches = ("phone", _begins) if is_number else ("full_name", _holds)
    this = Q(pk=int(term)) if is_number and term.isdecimal() else Q(pk__in=[])
    alike = CoreUser.objects.filter(matches(column, term)).order_by().values_list("pk", flat=True)
    found = list(alike[: MAX_LOOKED_UP + 1])
    if len(found) <= MAX_LOOKED_UP:
        return users.filter(this | Q(pk__in=found))
    walked = users.alias(past_index=Concat(column, Value("")))
    return walked.filter(this | matches("past_index", term))


def _holds(column: str, term: str) -> Q:
    """SQLite knows capitals of the Latin alphabet only, so it is asked for the usual spellings."""
    spellings = {term, term.lower(), term.upper(), term.title()} if connection.vendor == "sqlite" else {term}
    return Q(*((f"{column}__icontains", one) for one in spellings), _connector=Q.OR)


def _begins(column: str, term: str) -> Q:
    """As bounds: LIKE '…%' would not use the index of every database."""
    wanted = Q(pk__in=[])
    for one in phones.beginnings(term, settings.PHONE_REGION):
        wanted |= Q((f"{column}__gte", one), (f"{column}__lte", one.ljust(MAX_NUMBER + 1, "9")))
    return wanted


def prune_idempotent_responses(now: datetime) -> int:
    """Forget the answers of requests with an Idempotency-Key after IDEMPOTENCY_KEPT; how many."""
    old = IdempotentResponse.objects.filter(created_at__lt=now - IDEMPOTENCY_KEPT).order_by("created_at")
    count = 0
    while ids := list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        count += IdempotentResponse.objects.filter(pk__in=ids).delete()[0]
    return count


def _locked(user_id: int) -> CoreUser:
    """The row, locked: changes of one user, and the messages about them, stand in one order."""
    return CoreUser.objects.select_for_update().get(pk=user_id)


def _write(user: CoreUser, fields: Mapping[str, str]) -> None:
    """The new values, and a lead that is to follow them."""
    values = {**fields, "lead_state": CoreUser.LeadState.WAITING, "lead_reason": ""}
    for name, value in values.items():
        setattr(user, name, value)
    user.save(update_fields=[*values, "updated_at"])


def _request_lead(action: leads.Action, user: CoreUser, wake: Wake | None) -> None:
    known = {"id": user.pk, "full_name": user.full_name, "phone": user.phone, "stage": user.stage}
    if action != "create":
        known["bitrix_lead_id"] = user.bitrix_lead_id
    pattern, data = leads.request(action, known, settings.RABBITMQ_REPLY_QUEUE)
    outbox.put([Message(queue=settings.RABBITMQ_QUEUE, pattern=pattern, data=data)], wake=wake)
