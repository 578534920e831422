"""The REST interface: who calls, by which URL, what goes wrong, what is answered.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/index.html
"""

import threading
import time
from dataclasses import replace
from functools import partial

from sandbox.emulators.bitrix24 import batch, downloads
from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.answers import ApiError, encode, error_envelope
from sandbox.emulators.bitrix24.execution import Outcome, envelope, execute
from sandbox.emulators.bitrix24.faults import RequestFault
from sandbox.emulators.bitrix24.http_types import Reply, Request
from sandbox.emulators.bitrix24.params import Params, as_int, parse_body, parse_form
from sandbox.emulators.bitrix24.portal import EmulatedPortal

_HTML = (
    b"<html><head><title>Error</title></head><body><center><h1>nginx is unhappy</h1></center></body></html>"
)
_REFUSALS = {
    "query_limit": ApiError("QUERY_LIMIT_EXCEEDED", "Too many requests", status=503),
    "error": ApiError("INTERNAL_SERVER_ERROR", "Internal server error", status=500),
}
_LICENCE_STATUS = {"PAYMENT_REQUIRED": 401, "ACCESS_DENIED": 403}
_LICENCE_TEXTS = {
    "PAYMENT_REQUIRED": "Subscription has been ended",
    "ACCESS_DENIED": "REST API is available only on commercial plans.",
}


def serve(portal: EmulatedPortal, request: Request) -> Reply:
    """Answer one request under `/rest/`, with whatever fault is drawn for it."""
    steps = _steps(request.path)
    name = steps[-1] if steps else ""
    portal.stats.arrive(name)
    try:
        params = _params(request)
        methods = {name} | (batch.methods_of(params) if name == "batch" else set())
        fault = portal.faults.draw(methods)
        if fault.cut_where == "early":
            work = partial(_answer, portal, request, steps=steps, params=params, fault=fault)
            threading.Thread(target=work, daemon=True).start()
            return Reply(0, fault="drop")
        reply = _refused(fault) or _answer(portal, request, steps=steps, params=params, fault=fault)
        return _spoil(reply, fault)
    finally:
        portal.stats.leave()


def _steps(path: str) -> list[str]:
    steps = [step for step in path.split("/") if step][1:]
    if steps:
        steps[-1] = steps[-1].lower().removesuffix(".json")
    return steps


def _params(request: Request) -> Params:
    params = parse_form(request.query)
    if request.body:
        params |= parse_body(request.headers.get("Content-Type") or "", request.body)
    return params


def _refused(fault: RequestFault) -> Reply | None:
    """What is answered without executing anything."""
    if fault.refuse_as == "reset":
        return Reply(0, fault="reset")
    if fault.refuse_as:
        return _error(_REFUSALS[fault.refuse_as])
    return Reply(fault.html_status, _HTML, "text/html") if fault.html_status else None


def _answer(
    portal: EmulatedPortal, request: Request, *, steps: list[str], params: Params, fault: RequestFault
) -> Reply:
    try:
        portal.buckets.admit(request.source)
        if fault.rename_to:
            return _renamed(portal, request, host=fault.rename_to)
        pause = portal.settings.latency + fault.latency
        if pause:
            time.sleep(pause)
        _check_licence(fault)
        actor = _actor(portal, request, steps=steps, params=params)
        if "token" in params:
            return downloads.serve(portal, request, token=str(params["token"]))
        outcome = _run(portal, actor, name=steps[-1] if steps else "", params=params, fault=fault)
        return Reply(200, encode(envelope(outcome)))
    except ApiError as error:
        if error.status in {429, 503}:
            portal.stats.limit()
        return _error(error)
    except batch.RequestTooLong:
        return Reply(0, fault="drop")


def _run(portal: EmulatedPortal, actor: Actor, *, name: str, params: Params, fault: RequestFault) -> Outcome:
    if name != "batch":
        return execute(portal, actor, name=name, params=params)
    portal.stats.call(name)
    half = len(batch.commands_of(params)) // 2 if fault.cut_where == "inside" else None
    return batch.run(portal, actor, params=params, stop_after=half)


def _actor(portal: EmulatedPortal, request: Request, *, steps: list[str], params: Params) -> Actor:
    """Who calls: `/rest/USER/CODE/method` is a webhook, `/rest/method` needs an access token."""
    connector = str(params.get("auth_connector") or "")
    if len(steps) == 3:
        settings = portal.settings
        if steps[0] != str(settings.user_id) or steps[1] != settings.code:
            status = settings.credentials_status
            raise ApiError("INVALID_CREDENTIALS", "Invalid request credentials", status=status)
        return Actor(as_int(steps[0]), "", settings.code, connector)
    if len(steps) != 1:
        raise ApiError("ERROR_METHOD_NOT_FOUND", "Method not found!", status=404)
    bearer = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
    token = str(params.get("auth") or params.get("access_token") or bearer)
    return replace(portal.applications.actor(token), connector=connector)


def _check_licence(fault: RequestFault) -> None:
    if fault.licence:
        status = _LICENCE_STATUS.get(fault.licence, 403)
        raise ApiError(fault.licence, _LICENCE_TEXTS.get(fault.licence, ""), status=status)
    if fault.expired_token:
        raise ApiError("expired_token", "The access token provided has expired.", status=401)


def _renamed(portal: EmulatedPortal, request: Request, *, host: str) -> Reply:
    scheme = portal.base.partition("://")[0]
    query = f"?{request.query}" if request.query else ""
    location = {"Location": f"{scheme}://{host}{request.path}{query}"}
    return Reply(302, b"<html><body>Moved</body></html>", "text/html", location)


def _error(error: ApiError) -> Reply:
    return Reply(error.status, encode(error_envelope(error)))


def _spoil(reply: Reply, fault: RequestFault) -> Reply:
    """Hold back, garble, slow down or lose an answer whose work is done."""
    if fault.hang_seconds:
        time.sleep(fault.hang_seconds)
    if reply.fault:
        return reply
    if fault.malformed:
        reply.body = reply.body[: len(reply.body) // 2]
    reply.slow_seconds = fault.slow_body
    if fault.cut_where:
        reply.fault = "middle" if fault.cut_where == "middle" else "drop"
    return reply
