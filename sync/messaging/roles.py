"""The two ends of the exchange about leads: what each role does with the messages of its queue.

The bitrix role turns requests into events, from which jobs are made; the core role notes the replies. A
message may be forgotten by its queue when `take` has returned: it is committed then, or named malformed.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import DataError, IntegrityError
from django.utils.translation import gettext as _

from sync import inbox
from sync.connectors import rabbitmq
from sync.connectors.rabbitmq import leads
from sync.connectors.rabbitmq.delivery import Delivery, Take
from sync.connectors.rabbitmq.wire import decode
from sync.connectors.types import IncomingEvent
from sync.db.transactions import atomically
from sync.errors import Malformed, NeedsStaff
from sync.flows.leads import NAME as LEADS
from sync.messaging import users
from sync.models import Event, Portal

logger = logging.getLogger(__name__)

POISON = (
    DataError, IntegrityError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip
"""What a message can do to us that nobody thought of; an outage of the database is none of it."""

NOT_STORED = "The database did not take it; it would take other messages."


@dataclass(frozen=True)
class Role:
    """One end: the queue it reads, what keeps it from reading ("" = nothing), and how it stores a batch."""

    name: str
    queue: Callable[[], str]
    obstacle: Callable[[], str]
    take: Take


def role_of(queue: str) -> Role | None:
    """Whose queue it is."""
    return next((role for role in ROLES.values() if role.queue() == queue), None)


def take(role: Role, deliveries: list[Delivery]) -> list[str]:
    """Store a batch; one reason a delivery, "" where it is stored.

    When one of them cannot be stored at all, the others are, one by one. Raises NeedsStaff when the role
    has an obstacle, and the database's own errors when it is away.
    """
    try:
        return role.take(deliveries)
    except POISON as error:
        if len(deliveries) > 1:
            return [reason for delivery in deliveries for reason in take(role, [delivery])]
        logger.exception("A message of queue %s is put aside", role.queue())
        return [f"{type(error).__name__}: {error}"]


def core_portal() -> Portal | None:
    """The portal that stands for the users API, where a route of leads begins."""
    return Portal.objects.filter(kind=rabbitmq.KIND, routes_out__flow=LEADS).first()


def _requests_queue() -> str:
    return str(settings.RABBITMQ_QUEUE)


def _replies_queue() -> str:
    return str(settings.RABBITMQ_REPLY_QUEUE)


def _no_route() -> str:
    if core_portal():
        return ""
    return _(
        "Requests about leads wait: no route of the flow “Leads” begins at a portal of the system “users API "
        "(RabbitMQ)”. Add both in the admin or by `manage.py import_config`; they go on by themselves."
    )


def _nothing() -> str:
    return ""


def _take_requests(deliveries: list[Delivery]) -> list[str]:
    portal = core_portal()
    if portal is None:
        raise NeedsStaff(_no_route())
    prints = [_fingerprint(delivery) for delivery in deliveries]
    arrivals: dict[str, IncomingEvent] = {}
    reasons: list[str] = []
    for key, delivery in zip(prints, deliveries, strict=True):
        try:
            arrivals[key] = _request(delivery)
        except Malformed as error:
            reasons.append(error.reason)
        else:
            reasons.append("")
    inbox.receive_many(portal, arrivals)
    # leaving equal ones out, MySQL also leaves out what it cannot store
    events = Event.objects.filter(portal=portal, fingerprint__in=arrivals)
    stored = set(events.values_list("fingerprint", flat=True))
    return [
        reason or ("" if key in stored else NOT_STORED) for key, reason in zip(prints, reasons, strict=True)
    ]


def _take_replies(deliveries: list[Delivery]) -> list[str]:
    return atomically(lambda: [_record_reply(delivery) for delivery in deliveries])


def _record_reply(delivery: Delivery) -> str:
    try:
        # ours give their messages an ID, the original's have none
        users.record_reply(leads.read_reply(decode(delivery.body)), keeps_lanes=bool(delivery.message_id))
    except Malformed as error:
        return error.reason
    return ""


def _request(delivery: Delivery) -> IncomingEvent:
    notice = leads.read_request(decode(delivery.body))
    reply_queue = notice.params["reply_queue"] or settings.RABBITMQ_REPLY_QUEUE
    return replace(notice, params={**notice.params, "reply_queue": reply_queue})


def _fingerprint(delivery: Delivery) -> str:
    """Equal for the same message delivered again.

    Without a message ID nobody can tell that from an equal message: a user may be A, then B, then A again.
    Then both are done, which harms nothing: requests say how the lead shall be, not what to add.
    """
    key = delivery.message_id or uuid.uuid4().hex
    digest = hashlib.sha256(delivery.body).hexdigest()
    return hashlib.sha256("\n".join(["message", delivery.queue, key, digest]).encode()).hexdigest()


ROLES: dict[str, Role] = {
    "bitrix": Role("bitrix", queue=_requests_queue, obstacle=_no_route, take=_take_requests),
    "core": Role("core", queue=_replies_queue, obstacle=_nothing, take=_take_replies),
}
