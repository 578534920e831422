"""Running one method: is it known and allowed, has it time left, what did it give, how long did it take."""

import time
from dataclasses import dataclass
from typing import Any

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.answers import ApiError, Page
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.params import Params
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.routing import METHODS, SCOPE_OF
from sandbox.emulators.bitrix24.values import show_moment


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a method gave; `total` and `next` only for lists, `time` in the vendor's form."""

    result: Any
    total: int | None
    next: int | None
    time: dict[str, Any]


def execute(portal: EmulatedPortal, actor: Actor, *, name: str, params: Params) -> Outcome:
    """Run one method or raise ApiError; the work is done under the portal's lock."""
    name = name.lower()
    method = METHODS.get(name)
    if method is None:
        raise ApiError("ERROR_METHOD_NOT_FOUND", "Method not found!", status=404)
    _check_scope(portal, name)
    caller = actor.client_id or actor.secret
    portal.operating.check(caller, name)
    portal.stats.call(name)
    started = time.time()
    pause = portal.faults.command_latency(name)
    if pause:
        time.sleep(pause)
    try:
        with portal.lock:
            result = method(Call(portal, actor, params))
    finally:
        finished = time.time()
        portal.operating.spend(caller, name, seconds=finished - started)
    clocked = clock_block(portal, started, finished=finished) | portal.operating.report(caller, name)
    if isinstance(result, Page):
        return Outcome(result.result, result.total, result.next, clocked)
    return Outcome(result, None, None, clocked)


def envelope(outcome: Outcome) -> dict[str, Any]:
    """The whole answer to a single call."""
    whole: dict[str, Any] = {"result": outcome.result}
    if outcome.next is not None:
        whole["next"] = outcome.next
    if outcome.total is not None:
        whole["total"] = outcome.total
    return whole | {"time": outcome.time}


def clock_block(portal: EmulatedPortal, started: float, *, finished: float) -> dict[str, Any]:
    """The `time` part of an answer, without the operating figures."""
    now = show_moment(portal.now(), portal.settings.utc_offset)
    return {
        "start": started,
        "finish": finished,
        "duration": finished - started,
        "processing": finished - started,
        "date_start": now,
        "date_finish": now,
    }


def _check_scope(portal: EmulatedPortal, name: str) -> None:
    scope = SCOPE_OF.get(name.partition(".")[0])
    if scope and scope not in portal.settings.scopes:
        text = "The request requires higher privileges than provided by the webhook token"
        raise ApiError("insufficient_scope", text, status=403)
