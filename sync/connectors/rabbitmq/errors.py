"""What goes wrong between us and RabbitMQ, as our errors. No sentence ever holds the password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelClosedByBroker,
    ConnectionBlockedTimeout,
    ConnectionClosedByBroker,
    NackError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    UnroutableError,
)
from pika.spec import ACCESS_REFUSED, NOT_ALLOWED, NOT_FOUND

from sync.errors import NeedsStaff, SyncError, TryLater
from sync.i18n import gettext as _

FAULTS = (AMQPError, AMQPConnectorException, OSError)
"""All that pika raises of its own accord."""


@contextmanager
def in_our_words(address: str, user: str) -> Iterator[None]:
    """What pika raises inside becomes a TryLater or a NeedsStaff; `address` is host:port/virtual host."""
    try:
        yield
    except FAULTS as fault:
        raise _told(fault, {"address": address, "user": user, "why": _innermost(fault)}) from None


def _told(fault: Exception, words: dict[str, str]) -> SyncError:
    if isinstance(fault, AuthenticationError | ProbableAuthenticationError):
        return NeedsStaff(
            _(
                "RabbitMQ at %(address)s refuses user %(user)s: wrong name or password. Correct RABBITMQ_URL "
                "and restart."
            )
            % words
        )
    if isinstance(fault, ProbableAccessDeniedError) or _code(fault) == NOT_ALLOWED:
        return NeedsStaff(
            _(
                "RabbitMQ at %(address)s does not let user %(user)s into this virtual host: %(why)s. Make it "
                "(`rabbitmqctl add_vhost`), grant the user permissions there (`rabbitmqctl "
                "set_permissions`), or correct RABBITMQ_URL."
            )
            % words
        )
    if isinstance(fault, ChannelClosedByBroker) and _code(fault) in (ACCESS_REFUSED, NOT_FOUND):
        return NeedsStaff(
            _(
                "RabbitMQ at %(address)s refuses: %(why)s. Grant user %(user)s the permission (`rabbitmqctl "
                "set_permissions`), or make the queue."
            )
            % words
        )
    return TryLater(_not_now(fault) % words)


def _not_now(fault: Exception) -> str:
    """What the clock may heal."""
    if isinstance(fault, ConnectionBlockedTimeout | NackError):
        return _(
            "RabbitMQ at %(address)s takes no messages now: its memory or disk is full. Look at its alarms "
            "(`rabbitmq-diagnostics alarms`); the messages wait here."
        )
    if isinstance(fault, UnroutableError):
        return _("RabbitMQ at %(address)s: the queue was deleted at this moment; it is made again.")
    return _(
        "RabbitMQ at %(address)s does not answer: %(why)s. Start it, or correct RABBITMQ_URL; the messages "
        "wait here and go on by themselves."
    )


def _code(fault: Exception) -> int:
    if isinstance(fault, ChannelClosedByBroker | ConnectionClosedByBroker):
        return int(fault.reply_code)
    return 0


def _innermost(fault: Exception) -> str:
    """The system's or the broker's own words; pika packs them into errors of errors."""
    if isinstance(fault, ChannelClosedByBroker | ConnectionClosedByBroker):
        return str(fault.reply_text)
    inner = fault.args[0] if isinstance(fault, AMQPConnectionError) and fault.args else fault
    inner = getattr(inner, "exception", inner)
    return str(inner) or type(fault).__name__
