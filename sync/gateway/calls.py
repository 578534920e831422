"""One HTTP request to a portal, and what its pace learns from it.

The engine sends for jobs it has claimed a permit for, several requests side by side; staff's commands `ask`,
within the same pace and behind the same breaker, so that they never break a limit the workers keep.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from sync.connectors.types import Client, Command, Reply
from sync.errors import NeedsStaff, OutcomeUnknown, PortalAway, SyncError, Throttled, TryLater
from sync.gateway.clients import client_of
from sync.models import MethodBudget, Pace, Portal
from sync.policies.clock import SYSTEM_CLOCK, Clock

logger = logging.getLogger(__name__)

THROTTLED_WAIT = 2.0
"""Seconds to leave a portal alone after "too many requests" when it did not tell how long."""

BUDGET_SECONDS = 400.0
"""Of a method's time budget in ten minutes (the vendor blocks at 420-480) we use this much."""

TOO_LONG = 0.8
"""A request that breaks after this share of the portal's own limit was too large for it."""

LOOK_AGAIN = 1.0
"""Seconds between two looks at a permit that is long in coming: staff may interrupt, limits may change."""

MIN_WAIT = 0.05
"""Seconds: a permit that another worker took just before us is asked for again no sooner."""


@dataclass(frozen=True)
class Response:
    """What came of one request: a reply, or the error of the request as a whole. `began`: when it left, in
    Unix seconds; `seconds`: how long it took.
    """

    outcome: Reply | Exception
    began: float
    seconds: float


def send(client: Client, commands: Mapping[str, Command], *, clock: Clock = SYSTEM_CLOCK) -> Response:
    """Send one request whose permit is taken. Touches no database: it may run in a thread of its own."""
    began, started = clock.now(), time.monotonic()
    outcome: Reply | Exception
    try:
        outcome = client.execute(commands)
    except Exception as error:  # noqa: BLE001  # the ladder knows ours and calls the rest a bug
        outcome = error
    return Response(outcome, began, seconds=time.monotonic() - started)


def note(portal: Portal, pace: Pace, response: Response, *, now: float) -> Reply:
    """Remember what an answer says about the portal; raises the error of the request as a whole."""
    if isinstance(response.outcome, SyncError):
        _note_trouble(portal, pace, response.outcome, response, now=now)
    if isinstance(response.outcome, Exception):
        raise response.outcome
    pace.passed_one()
    _note_usage(portal, response.outcome, now=now)
    return response.outcome


def request(
    portal: Portal,
    commands: Mapping[str, Command],
    *,
    patience: float,
    waiting: Callable[[float], None] = lambda _: None,
) -> Reply:
    """Wait for a permit, at most `patience` seconds, and send one request.

    `waiting` is called with the seconds still to wait. Raises Throttled (pace) or PortalAway (breaker) with
    the seconds to wait when there is no permit in time, and what `note` raises.
    """
    pace = Pace.of(portal)
    ends = time.time() + patience
    while wait := _wait(portal, pace, commands):
        if time.time() + wait > ends:
            raise _no_permit(portal, pace, wait)
        waiting(wait)
        time.sleep(min(wait, LOOK_AGAIN))
        pace.refresh_from_db()
    return note(portal, pace, send(client_of(portal), commands), now=time.time())


def _wait(portal: Portal, pace: Pace, commands: Mapping[str, Command]) -> float:
    """Seconds until it makes sense to ask again; 0 with a permit taken."""
    now = time.time()
    blocked = MethodBudget.blocked(portal, now=now)
    if waits := [blocked[command.method] - now for command in commands.values() if command.method in blocked]:
        return max(waits)
    permit = pace.permit(portal.limits, now=now)
    return 0.0 if permit.is_granted else max(permit.wait, MIN_WAIT)


def _no_permit(portal: Portal, pace: Pace, wait: float) -> TryLater:
    words = {"portal": portal.slug, "wait": wait, "trouble": pace.trouble}
    if pace.is_away:
        return PortalAway(
            _("%(portal)s: the portal is away and will be tried again in %(wait).0f s. %(trouble)s") % words,
            after=wait,
        )
    return Throttled(_("%(portal)s: its limit allows the next request in %(wait).0f s.") % words, after=wait)


def _note_trouble(portal: Portal, pace: Pace, error: SyncError, response: Response, *, now: float) -> None:
    """What a request that failed as a whole says about the portal."""
    logger.warning("%s", error.message)
    if isinstance(error, Throttled):
        _note_limit(portal, pace, error, now=now)
    elif isinstance(error, TryLater):
        pace.failed_one(error.message, began=response.began, now=now)
        if isinstance(error, OutcomeUnknown) and (
            error.is_timeout or response.seconds >= TOO_LONG * portal.request_seconds
        ):
            pace.halve()
    elif isinstance(error, NeedsStaff):
        pace.failed_one(error.message, began=response.began, now=now, is_lasting=True)


def _note_limit(portal: Portal, pace: Pace, error: Throttled, *, now: float) -> None:
    wait = error.after or THROTTLED_WAIT
    if error.method:
        MethodBudget.block(portal, error.method, until=now + wait)
    else:
        pace.push(wait, now=now)


def _note_usage(portal: Portal, reply: Reply, *, now: float) -> None:
    """What an answered request says about the portal: budgets nearly spent, a new address."""
    for method, usage in reply.usage.items():
        if usage.seconds > BUDGET_SECONDS and usage.reset_at > now:
            MethodBudget.block(portal, method, until=usage.reset_at)
    for answer in reply.answers.values():
        if isinstance(answer.error, Throttled) and answer.error.method:
            MethodBudget.block(
                portal, answer.error.method, until=now + (answer.error.after or THROTTLED_WAIT)
            )
    if reply.new_url:
        logger.warning("%s has moved; its new address is stored.", portal.slug)
        Portal.objects.filter(pk=portal.pk).update(webhook_url=reply.new_url)
