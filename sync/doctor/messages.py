"""Messages about leads: does RabbitMQ answer, who reads which queue, how many wait or are malformed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.connectors.rabbitmq.connection import DEAD, Connection, QueueState, connect
from sync.errors import SyncError
from sync.flows.findings import Finding, fault, ok, warn
from sync.messaging.roles import ROLES, Role
from sync.models import Heartbeat, Message, OutboxLease
from sync.status import duration

WHERE = "messages"
LATE = timedelta(minutes=1)
CONSUME = "manage.py consume"


def check_messages() -> Iterator[Finding]:
    """Examine the outbox, and RabbitMQ where it is used."""
    yield from _outbox()
    if not settings.RABBITMQ_URL:
        yield ok(WHERE, _("RABBITMQ_URL is empty: both roles exchange their messages within one process."))
        return
    if settings.RABBITMQ_QUEUE == settings.RABBITMQ_REPLY_QUEUE:
        yield fault(
            WHERE,
            _("Requests and replies share the queue %s: each role reads what is meant for the other.")
            % settings.RABBITMQ_QUEUE,
            _("Give RABBITMQ_QUEUE and RABBITMQ_REPLY_QUEUE different names."),
        )
    yield from _broker()


def _outbox() -> Iterator[Finding]:
    """Messages that have waited too long in the outbox."""
    oldest = Message.unsent().first()
    if oldest is None or oldest.created_at > timezone.now() - LATE:
        yield ok(WHERE, _("No message waits to be sent."))
        return
    words = {
        "count": Message.unsent().count(),
        "age": duration((timezone.now() - oldest.created_at).total_seconds()),
    }
    lease = OutboxLease.objects.filter(failures__gt=0).first()
    yield fault(
        WHERE,
        _("%(count)d messages wait to be sent, since %(age)s.") % words,
        lease.trouble if lease else _("Start a worker: `manage.py qcluster`."),
    )


def _broker() -> Iterator[Finding]:
    try:
        with connect(settings.RABBITMQ_URL, name="doctor") as link:
            yield ok(WHERE, _("RabbitMQ at %s answers.") % link.address)
            yield _consumers()
            for role in ROLES.values():
                yield from _role(link, role)
    except SyncError as error:
        yield fault(WHERE, error.message)


def _consumers() -> Finding:
    names = [name.removeprefix(Heartbeat.CONSUMER) for name in _alive()]
    if names:
        return ok(WHERE, _("Consumers alive: %s.") % ", ".join(names))
    return warn(
        WHERE,
        _("No consumer of ours has been seen lately: what other programs send us stays at RabbitMQ."),
        _("Start one: `%s`, or the service that runs it.") % CONSUME,
    )


def _alive() -> list[str]:
    return list(Heartbeat.consumers().values_list("name", flat=True))


def _role(link: Connection, role: Role) -> Iterator[Finding]:
    """The role's queue, and its dead letters."""
    queue = role.queue()
    state = link.state_of(queue)
    if state is None:
        yield warn(
            WHERE,
            _("Queue %s is not there yet.") % queue,
            _("It is made by the first message, or by `%s`.") % CONSUME,
        )
    else:
        yield _queue(role, state)
    dead = link.state_of(queue + DEAD)
    if dead is not None and dead.messages:
        yield warn(
            WHERE,
            _("%(count)d malformed messages lie in queue %(queue)s.")
            % {"count": dead.messages, "queue": queue + DEAD},
            _("Read why in their headers, and mend the program that sends them: docs/leads.md."),
        )


def _queue(role: Role, state: QueueState) -> Finding:
    words = {"queue": role.queue(), "count": state.messages}
    if state.consumers:
        return ok(WHERE, _("Queue %(queue)s is read; %(count)d messages wait in it.") % words)
    todo = role.obstacle() or _("Start `%s`, or the program that reads it.") % CONSUME
    return fault(WHERE, _("Nobody reads queue %(queue)s; %(count)d messages wait in it.") % words, todo)
