"""Up to fifty commands in one request.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/batch.html
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.answers import ApiError, error_envelope
from sandbox.emulators.bitrix24.execution import Outcome, clock_block, execute
from sandbox.emulators.bitrix24.params import Params, as_map, is_yes, parse_form
from sandbox.emulators.bitrix24.portal import EmulatedPortal

MAX_COMMANDS = 50
_FORBIDDEN = {"batch", "disk.folder.uploadfile", "disk.storage.uploadfile", "crm.controller.item.getfile"}
_REFERENCE = re.compile(r"\$result((?:\[[^\[\]]*\])+)")


class RequestTooLong(Exception):
    """The portal cuts its own work: what was done stays done, without an answer."""


@dataclass(slots=True)
class _Collected:
    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    total: dict[str, Any] = field(default_factory=dict)
    next: dict[str, Any] = field(default_factory=dict)
    time: dict[str, Any] = field(default_factory=dict)

    def keep(self, key: str, outcome: Outcome) -> None:
        self.result[key] = outcome.result
        self.time[key] = outcome.time
        if outcome.total is not None:
            self.total[key] = outcome.total
        if outcome.next is not None:
            self.next[key] = outcome.next

    def shown(self) -> dict[str, Any]:
        parts = {"result": self.result, "result_error": self.error, "result_total": self.total}
        parts |= {"result_next": self.next, "result_time": self.time}
        return {name: php_array(part) for name, part in parts.items()}


def commands_of(params: Params) -> dict[str, str]:
    """The commands by key, in order; what is not text is skipped."""
    lowered = {key.lower(): value for key, value in params.items()}
    return {key: text for key, text in as_map(lowered.get("cmd")).items() if isinstance(text, str)}


def methods_of(params: Params) -> set[str]:
    """Names of the methods in a batch."""
    return {_split(text)[0] for text in commands_of(params).values()}


def run(portal: EmulatedPortal, actor: Actor, *, params: Params, stop_after: int | None = None) -> Outcome:
    """Run the commands in turn; HTTP 200 whatever they give. `stop_after` breaks off in the middle."""
    started = time.time()
    collected = _Collected()
    halts = any(is_yes(params.get(name)) for name in ("halt", "HALT"))
    for number, (key, text) in enumerate(commands_of(params).items()):
        if stop_after is not None and number >= stop_after:
            break
        if time.time() - started > portal.settings.request_limit:
            raise RequestTooLong
        try:
            collected.keep(key, _command(portal, actor, text=text, number=number, results=collected.result))
        except ApiError as error:
            collected.error[key] = error_envelope(error)
            if error.status in {429, 503}:
                portal.stats.limit()
            if halts:
                break
    clocked = clock_block(portal, started, finished=time.time())
    clocked |= portal.operating.report(actor.client_id or actor.secret, "batch")
    return Outcome(collected.shown(), None, None, clocked)


def php_array(values: dict[str, Any]) -> Any:
    """A PHP array as JSON: `[]` when empty, a list when the keys run 0, 1, 2…, an object otherwise."""
    if list(values) == [str(index) for index in range(len(values))]:
        return list(values.values())
    return values


def substitute(value: Any, results: dict[str, Any]) -> Any:
    """Put earlier results in place of `$result[key][path]`; what leads to no plain value stays as it is."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _resolve(match, results), value) if "$result[" in value else value
    if isinstance(value, list):
        return [substitute(one, results) for one in value]
    if isinstance(value, dict):
        return {key: substitute(one, results) for key, one in value.items()}
    return value


def _command(
    portal: EmulatedPortal, actor: Actor, *, text: str, number: int, results: dict[str, Any]
) -> Outcome:
    name, query = _split(text)
    if number >= MAX_COMMANDS:
        raise ApiError("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
    if name in _FORBIDDEN:
        raise ApiError("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", status=405)
    if portal.faults.fails_command(name):
        raise ApiError("INTERNAL_SERVER_ERROR", "Internal server error", status=500)
    return execute(portal, actor, name=name, params=substitute(parse_form(query), results))


def _split(text: str) -> tuple[str, str]:
    name, _, query = text.partition("?")
    return name.strip().strip("/").lower().removesuffix(".json"), query


def _resolve(match: re.Match[str], results: dict[str, Any]) -> str:
    value: Any = results
    for key in re.findall(r"\[([^\[\]]*)\]", match.group(1)):
        found = as_map(value)
        if key not in found:
            break
        value = found[key]
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value) if isinstance(value, str | int | float) else match.group(0)
