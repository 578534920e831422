"""The control interface under `/emulator/`, for this machine only: seeding, faults, counters, events."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from sandbox.emulators.bitrix24 import fixtures, inspection
from sandbox.emulators.bitrix24.entities import DEAL
from sandbox.emulators.bitrix24.http_types import Reply, Request
from sandbox.emulators.bitrix24.params import as_int
from sandbox.emulators.bitrix24.portal import EmulatedPortal

_DEFAULT_APP = "local.emulated"
Act = Callable[[EmulatedPortal, dict[str, Any]], Any]


def serve(portal: EmulatedPortal, request: Request) -> Reply:
    """Answer one control request; mistakes are 400 with a sentence."""
    if not request.source.startswith("127.") and request.source != "::1":
        return _reply(403, {"error": "loopback only"})
    path = request.path.removeprefix("/emulator/").strip("/")
    try:
        given = _given(request)
        act = _acts(request.verb).get(path)
        if act is not None:
            return _reply(200, act(portal, given))
        if request.verb == "POST":
            return _reply(200, _seed(portal, path.removeprefix("seed/"), given=given))
    except (ValueError, KeyError, TypeError) as error:
        return _reply(400, {"error": str(error)})
    return _reply(404, {"error": f"no such path: {path}"})


def _given(request: Request) -> dict[str, Any]:
    if request.verb == "GET":
        return {name: values[-1] for name, values in parse_qs(request.query).items()}
    given = json.loads(request.body or b"{}")
    if not isinstance(given, dict):
        raise TypeError("the body must be a JSON object")
    return given


def _seed(portal: EmulatedPortal, kind: str, *, given: dict[str, Any]) -> Any:
    """`{"deals": [row, …]}` or `{"count": n, "fields": row}`; `rows` may stand for the kind's own name."""
    if "count" in given:
        rows = fixtures.repeat(given.get("fields", {}), as_int(given["count"]))
    else:
        rows = given.get(kind, given.get("rows", []))
    return {"ids": fixtures.add(portal, kind, rows=rows, fire=bool(given.get("fire")))}


def _set_faults(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    portal.faults.replace(given)
    return {"ok": True}


def _set_limits(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    """`bucket` as [size, leak] or null; the other names are those of the settings."""
    settings = portal.settings
    unknown = set(given) - {"bucket", "operating_limit", "operating_seconds", "latency", "request_limit"}
    if unknown:
        raise ValueError(f"unknown limit: {', '.join(sorted(unknown))}")
    if "bucket" in given:
        settings.bucket = (given["bucket"][0], given["bucket"][1]) if given["bucket"] else None
    settings.operating_limit = given.get("operating_limit", settings.operating_limit)
    settings.operating_seconds = given.get("operating_seconds", settings.operating_seconds)
    settings.latency = given.get("latency", settings.latency)
    settings.request_limit = given.get("request_limit", settings.request_limit)
    portal.buckets.clear()
    portal.operating.clear()
    return {"ok": True}


def _add_handler(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    """An outgoing webhook or, with `kind` "app", a handler of an application (installed if need be)."""
    client_id = str(given.get("client_id") or _DEFAULT_APP) if given.get("kind") == "app" else ""
    if client_id and not portal.applications.application_token(client_id):
        portal.applications.install(client_id, "secret")
    token = str(given.get("application_token") or portal.applications.application_token(client_id))
    handler = portal.events.add_handler(
        str(given["event"]), str(given["url"]), application_token=token, client_id=client_id
    )
    return {"id": handler.handler_id}


def _fire_robot(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    portal.events.fire_robot(as_int(given["deal_id"]), str(given["url"]))
    return {"ok": True}


def _hide(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    """Take away the right to see deals; an empty list gives it back."""
    portal.entities[DEAL].hidden = {as_int(one) for one in given["deals"]}
    return {"ok": True}


def _install(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    return portal.applications.install(str(given["client_id"]), str(given["client_secret"]))


def _expire(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    del given
    portal.applications.expire_all()
    return {"ok": True}


def _reset_stats(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    del given
    portal.stats.reset()
    return {"ok": True}


def _reset(portal: EmulatedPortal, given: dict[str, Any]) -> Any:
    """Data, faults, handlers, limits and counters all begin anew."""
    del given
    portal.reset()
    portal.faults.replace({})
    portal.events.forget()
    portal.buckets.clear()
    portal.operating.clear()
    portal.stats.reset()
    return {"ok": True}


def _read(kind: str) -> Act:
    return lambda portal, given: {kind: inspection.records(portal, kind, originator=given.get("originator"))}


def _acts(verb: str) -> dict[str, Act]:
    return _READS if verb == "GET" else _WRITES


_READS: dict[str, Act] = {
    "deals": _read("deals"),
    "contacts": _read("contacts"),
    "companies": _read("companies"),
    "leads": _read("leads"),
    "comments": lambda portal, given: {
        "comments": inspection.comments(portal, as_int(given["deal"]) if "deal" in given else None)
    },
    "stats": lambda portal, _: inspection.stats(portal),
}
_WRITES: dict[str, Act] = {
    "faults": _set_faults,
    "limits": _set_limits,
    "handlers": _add_handler,
    "robot": _fire_robot,
    "hide": _hide,
    "apps": _install,
    "apps/expire": _expire,
    "stats/reset": _reset_stats,
    "reset": _reset,
}


def _reply(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode())
