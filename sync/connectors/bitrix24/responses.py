"""An HTTP answer read into a Reply: one value or one error per command, and the time budget spent.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/batch.html · https://apidocs.bitrix24.com/limits.html
"""

import time
from collections.abc import Mapping
from typing import Any

from sync.connectors.bitrix24.errors import VendorError, error_of
from sync.connectors.bitrix24.transport import RawResponse, as_json
from sync.connectors.types import Answer, Command, Usage
from sync.errors import OutcomeUnknown, SyncError, Throttled
from sync.i18n import gettext as _

Envelope = Mapping[str, Any]


def read_one(response: RawResponse, *, portal: str, command: Command) -> tuple[Answer, dict[str, Usage]]:
    """The answer to a direct call. What concerns the whole portal is raised, as it is for a batch."""
    envelope = envelope_of(response, portal=portal, method=command.method)
    usage = usage_of({command.method: [envelope.get("time")]})
    error = error_in(envelope, response, portal=portal, method=command.method, usage=usage)
    if error is None:
        value, fault = envelope["result"], (envelope.get("next"), envelope.get("total"))
        return Answer(value, next_start=_as_start(fault[0]), total=_as_start(fault[1])), usage
    if error.is_portal_wide or (isinstance(error, Throttled) and not error.method):
        raise error
    return Answer(error=error), usage


def read_batch(
    response: RawResponse, *, portal: str, commands: Mapping[str, Command], wire_keys: Mapping[str, str]
) -> tuple[dict[str, Answer], dict[str, Usage]]:
    """The answers to a batch by our own keys. Raises the error of the batch as a whole."""
    envelope = envelope_of(response, portal=portal, method="batch")
    outer = envelope.get("time")
    error = error_in(envelope, response, portal=portal, method="batch", usage=usage_of({"batch": [outer]}))
    if error is not None:
        raise error
    parts = {name: as_map(as_map(envelope["result"]).get(name)) for name in BATCH_PARTS}
    spent: dict[str, list[Any]] = {"batch": [outer]}
    for key, command in commands.items():
        spent.setdefault(command.method, []).append(parts["result_time"].get(wire_keys[key]))
    usage = usage_of(spent)
    answers = {
        key: _one_of_batch(parts, wire_keys[key], portal=portal, method=command.method, usage=usage)
        for key, command in commands.items()
    }
    return answers, usage


BATCH_PARTS = ("result", "result_error", "result_next", "result_total", "result_time")


def _one_of_batch(
    parts: Mapping[str, Envelope], key: str, *, portal: str, method: str, usage: Mapping[str, Usage]
) -> Answer:
    if key in parts["result_error"]:
        fault = parts["result_error"][key]
        fault = fault if isinstance(fault, Mapping) else {"error": "", "error_description": str(fault)}
        return Answer(error=error_of(_said(fault, portal=portal, method=method, usage=usage)))
    if key in parts["result"]:  # its value may well be null, false or []
        fault = parts["result_next"].get(key), parts["result_total"].get(key)
        return Answer(parts["result"][key], next_start=_as_start(fault[0]), total=_as_start(fault[1]))
    error = OutcomeUnknown(
        _("%(portal)s: %(method)s: the portal's batch answer lacks this command.")
        % {"portal": portal, "method": method},
        code="NO_ANSWER",
    )
    error.is_portal_wide = False
    return Answer(error=error)


def envelope_of(response: RawResponse, *, portal: str, method: str) -> Envelope:
    """The JSON object of an answer; raises what an answer that is none means."""
    try:
        envelope = as_json(response.body)
    except (ValueError, RecursionError):
        envelope = None
    if isinstance(envelope, Mapping) and ("result" in envelope or "error" in envelope):
        return envelope
    if response.body.strip():
        shape = _("an answer that is not the REST API's with HTTP %(status)s")
    else:
        shape = _("an empty answer with HTTP %(status)s")
    description = shape % {"status": response.status}
    after = retry_after(response)
    raise error_of(
        VendorError(portal, method, response.status, description=description, after=after, is_json=False)
    )


def error_in(
    envelope: Envelope, response: RawResponse, *, portal: str, method: str, usage: Mapping[str, Usage]
) -> SyncError | None:
    """The error an envelope tells. `error: ""` is one; `error: null` beside a result is none."""
    if envelope.get("error") is None and "result" in envelope and response.status < 400:
        return None
    after = retry_after(response)
    return error_of(
        _said(envelope, portal=portal, method=method, usage=usage, status=response.status, after=after)
    )


def _said(
    fault: Envelope,
    *,
    portal: str,
    method: str,
    usage: Mapping[str, Usage],
    status: int | None = None,
    after: float | None = None,
) -> VendorError:
    code, description = fault.get("error"), fault.get("error_description")
    code = "" if code is None else str(code)
    if code.upper() == "OPERATION_TIME_LIMIT" and after is None and method in usage:
        after = wait_until(usage[method].reset_at)
    return VendorError(portal, method, status, code=code, description=str(description or ""), after=after)


def usage_of(spent: Mapping[str, list[Any]]) -> dict[str, Usage]:
    """Seconds spent by method, the largest of those named. The vendor may leave both out, or one of them.

    It charges the nested methods by its documents, the method `batch` by some measurements: both are kept.
    """
    usage: dict[str, Usage] = {}
    for method, times in spent.items():
        fault = [time for time in times if isinstance(time, Mapping) and ("operating" in time)]
        resets = [_number(time.get("operating_reset_at")) for time in times if isinstance(time, Mapping)]
        if fault or any(resets):
            seconds = max((_number(time["operating"]) for time in fault), default=0.0)
            usage[method] = Usage(seconds, max(resets, default=0.0))
    return usage


def wait_until(reset_at: float) -> float | None:
    """Seconds from now to a Unix time, a second to spare, within the ten minutes the vendor promises."""
    if not reset_at:
        return None
    return min(max(reset_at - time.time() + 1, 1.0), 601.0)


def retry_after(response: RawResponse) -> float | None:
    """Retry-After in seconds, at most an hour; dates there are not worth a parser."""
    fault = (response.headers.get("Retry-After") or "").strip()
    return float(min(int(fault), 3600)) if fault.isdecimal() and len(fault) < 10 else None


def as_map(value: Any) -> Envelope:
    """A PHP map: an empty one comes as [], one with keys 0..n as a list."""
    if isinstance(value, Mapping):
        return value
    return {str(index): item for index, item in enumerate(value)} if isinstance(value, list) else {}


def _as_start(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 12 else None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
