"""Subscribing to events: `event.bind`, `event.get`, `event.unbind`.

https://apidocs.bitrix24.com/api-reference/events/event-bind.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import standard_entities
from sandbox.emulators.bitrix24.events import Handler
from sandbox.emulators.bitrix24.offlinequeue import Subscription

_VERBS = ("ADD", "UPDATE", "DELETE")
_OBJECTS = [
    *(f"ONCRM{entity.event}" for entity in standard_entities().values()),
    *(f"ONCRM{entity.event}USERFIELD" for entity in standard_entities().values()),
    "ONCRMDYNAMICITEM",
    "ONCRMTIMELINECOMMENT",
]
EVENTS = frozenset(
    {f"{name}{verb}" for name in _OBJECTS for verb in _VERBS}
    | {"ONCRMDEALMOVETOCATEGORY", "ONOFFLINEEVENT", "ONUSERADD", "ONAPPINSTALL", "ONAPPUNINSTALL"}
)


def require_application(call: Call) -> None:
    """Refuse a webhook: these methods need the context of an application."""
    if not call.actor.client_id:
        text = "Access denied! Application context required"
        raise ApiError("ACCESS_DENIED", text, status=403)


def events(call: Call) -> list[str]:
    """`events`: what may be subscribed to."""
    require_application(call)
    return sorted(EVENTS)


def bind(call: Call) -> bool:
    """`event.bind`: true; offline subscriptions need no handler."""
    require_application(call)
    event = str(call.get("event") or "").upper()
    is_dynamic = event.rpartition("_")[0].startswith("ONCRMDYNAMICITEM")
    if event not in EVENTS and not is_dynamic:
        raise ApiError("ERROR_EVENT_NOT_FOUND", "Event not found")
    hub, client_id = call.portal.events, call.actor.client_id
    if _is_offline(call):
        one = Subscription(event, client_id, call.actor.connector)
        if one not in hub.offline.subscriptions:
            hub.offline.subscriptions.append(one)
        return True
    url = str(call.get("handler") or "")
    if any((one.event, one.url, one.client_id) == (event, url, client_id) for one in hub.handlers):
        raise ApiError("ERROR_CORE", "Unable to set event handler: Handler already binded")
    token = call.portal.applications.application_token(client_id)
    hub.add_handler(event, url, application_token=token, client_id=client_id)
    return True


def bound(call: Call) -> list[dict[str, Any]]:
    """`event.get`: online and offline subscriptions of the application."""
    require_application(call)
    hub, client_id = call.portal.events, call.actor.client_id
    online: list[dict[str, Any]] = [
        {"event": one.event, "handler": one.url, "auth_type": str(one.auth_type), "offline": 0}
        for one in hub.handlers
        if one.client_id == client_id
    ]
    return online + [
        {"event": one.event, "connector_id": one.connector, "offline": 1}
        for one in hub.offline.subscriptions
        if one.client_id == client_id
    ]


def unbind(call: Call) -> dict[str, int]:
    """`event.unbind`: how many are gone; a parameter left out matches all."""
    require_application(call)
    hub = call.portal.events
    if _is_offline(call):
        kept = [one for one in hub.offline.subscriptions if not _matches_subscription(call, one)]
        count = len(hub.offline.subscriptions) - len(kept)
        hub.offline.subscriptions[:] = kept
        return {"count": count}
    handlers = [one for one in hub.handlers if not _matches_handler(call, one)]
    count = len(hub.handlers) - len(handlers)
    hub.handlers[:] = handlers
    return {"count": count}


def _is_offline(call: Call) -> bool:
    return str(call.get("event_type") or "").lower() == "offline"


def _event(call: Call) -> str:
    return str(call.get("event") or "").upper()


def _matches_subscription(call: Call, one: Subscription) -> bool:
    return one.client_id == call.actor.client_id and _event(call) in ("", one.event)


def _matches_handler(call: Call, one: Handler) -> bool:
    is_own = one.client_id == call.actor.client_id and _event(call) in ("", one.event)
    return is_own and str(call.get("handler") or "") in ("", one.url)


METHODS: dict[str, Callable[[Call], Any]] = {
    "events": events,
    "event.bind": bind,
    "event.get": bound,
    "event.unbind": unbind,
}
