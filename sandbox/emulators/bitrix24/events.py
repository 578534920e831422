"""Events of a portal: who listens, and what is sent to them.

https://apidocs.bitrix24.com/api-reference/events/index.html
"""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.offlinequeue import OfflineQueue
from sandbox.emulators.bitrix24.sender import Delivery, Sender
from sandbox.emulators.bitrix24.state import PortalState

SERVER_ENDPOINT = "https://oauth.bitrix24.tech/rest/"
# Outgoing webhooks cannot subscribe to it.
_APPS_ONLY = "ONCRMDEALMOVETOCATEGORY"
# The portal leaves the handler's number out of these.
_UNNUMBERED = ("ONCRMTIMELINECOMMENT", "ONUSERADD", "ONOFFLINEEVENT", "ONAPP")


@dataclass(slots=True)
class Handler:
    """Someone who listens: an outgoing webhook or, with `client_id`, an application."""

    handler_id: int
    event: str
    url: str
    application_token: str = ""
    client_id: str = ""
    auth_type: int = 0


class EventHub:
    """Handlers, the offline queue, and the thread that delivers."""

    def __init__(self, portal: PortalState) -> None:
        """Listen to nobody yet."""
        self._portal = portal
        self.handlers: list[Handler] = []
        self.offline = OfflineQueue()
        self.sender = Sender(portal.stats, portal.settings)
        self._last_handler_id = 100

    def add_handler(
        self, event: str, url: str, *, application_token: str = "", client_id: str = ""
    ) -> Handler:
        """Register a handler; an application's own token is used when none is given."""
        self._last_handler_id += 1
        handler = Handler(self._last_handler_id, event.upper(), url, application_token, client_id)
        self.handlers.append(handler)
        return handler

    def fire(self, event: str, data: dict[str, Any], *, actor: Actor) -> None:
        """Send an event to every handler; the portal's own writes are events, too."""
        self.offline.put(event, data, actor=actor, moment=self._portal.now())
        for handler in self.handlers:
            if handler.event == event and (handler.client_id or event != _APPS_ONLY):
                self._send(handler, event, data=data, actor=actor)
        self._signal_offline()

    def fire_comment(self, verb: str, comment_id: int, *, actor: Actor) -> None:
        """Send a comment's event in the shape of the core or of the documentation, by setting or by turns."""
        event = f"ONCRMTIMELINECOMMENT{verb}"
        shape = self._portal.settings.comment_events
        is_documented = shape == "docs" or (shape == "both" and comment_id % 2 == 0)
        self.offline.put(event, {"FIELDS": {"ID": str(comment_id)}}, actor=actor, moment=self._portal.now())
        for handler in self.handlers:
            if handler.event != event:
                continue
            if is_documented:
                name = f"onCrmTimelineComment{verb.capitalize()}"
                self._send(handler, name, data={"ID": comment_id}, actor=actor)
            else:
                self._send(handler, event, data={"FIELDS": {"ID": comment_id}}, actor=actor)

    def fire_robot(self, deal_id: int, url: str) -> None:
        """Send what the automation robot «Webhook» sends: the document, no event, no application token."""
        pairs = {
            "document_id[0]": "crm",
            "document_id[1]": "CCrmDocumentDeal",
            "document_id[2]": f"DEAL_{deal_id}",
        }
        self._schedule(url, pairs | self._portal_keys())

    def forget(self) -> None:
        """Drop handlers, queued rows and undelivered events."""
        self.handlers.clear()
        self.offline.clear_all()
        self.sender.drop_all()

    def _send(self, handler: Handler, event: str, *, data: dict[str, Any], actor: Actor) -> None:
        pairs: dict[str, Any] = {"event": event}
        if not event.upper().startswith(_UNNUMBERED):
            pairs["event_handler_id"] = handler.handler_id
        pairs |= flatten("data", data)
        pairs["ts"] = int(time.time())
        pairs |= self._portal_keys()
        pairs |= flatten("auth", self._portal.applications.event_auth(handler.client_id, actor.user_id))
        pairs["auth[application_token]"] = handler.application_token
        self._schedule(handler.url, pairs)

    def _portal_keys(self) -> dict[str, Any]:
        portal = self._portal
        return {
            "auth[domain]": portal.domain,
            "auth[client_endpoint]": f"{portal.base}/rest/",
            "auth[server_endpoint]": SERVER_ENDPOINT,
            "auth[member_id]": portal.member_id,
        }

    def _schedule(self, url: str, pairs: dict[str, Any]) -> None:
        body = urlencode({key: str(value) for key, value in pairs.items()}).encode()
        for delay in self._portal.faults.event_delays():
            self.sender.put(Delivery(url, body), delay)

    def _signal_offline(self) -> None:
        for handler in self.handlers:
            if handler.event == "ONOFFLINEEVENT" and self.offline.has_news(handler.client_id):
                auth = self._portal.applications.event_auth(handler.client_id, 1, with_refresh=True)
                pairs = {"event": "ONOFFLINEEVENT", "ts": int(time.time())} | self._portal_keys()
                pairs |= flatten("auth", auth)
                pairs["auth[application_token]"] = handler.application_token
                self._schedule(handler.url, pairs)


def flatten(prefix: str, value: Any) -> dict[str, Any]:
    """Nested data as flat names with brackets."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        flat: dict[str, Any] = {}
        for key, part in items:
            flat |= flatten(f"{prefix}[{key}]", part)
        return flat
    return {prefix: "" if value is None else value}
