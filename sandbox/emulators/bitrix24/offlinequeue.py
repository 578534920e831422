"""The queue of offline events: one row per state, not per change.

https://apidocs.bitrix24.com/api-reference/events/offline-events.html
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.table import Row, Table


@dataclass(frozen=True, slots=True)
class Subscription:
    """An application that collects one event, by one of its connectors."""

    event: str
    client_id: str
    connector: str = ""


class OfflineQueue:
    """Rows waiting to be collected; the caller holds the portal's lock."""

    def __init__(self) -> None:
        """Nobody collects anything yet."""
        self.subscriptions: list[Subscription] = []
        self._rows = Table()
        self._news: set[str] = set()

    def put(self, event: str, data: dict[str, Any], *, actor: Actor, moment: datetime) -> None:
        """Queue an event for each subscriber, except the very channel that caused it."""
        for one in self.subscriptions:
            is_own = one.connector and (one.client_id, one.connector) == (actor.client_id, actor.connector)
            if one.event == event and not is_own:
                self._collapse(one, data, actor=actor, moment=moment)
                self._news.add(one.client_id)

    def waiting(self, client_id: str, connector: str) -> list[Row]:
        """Rows that nobody has reserved, oldest change first."""
        return [row for row in self.rows(client_id, connector) if not row["PROCESS_ID"]]

    def rows(self, client_id: str, connector: str) -> list[Row]:
        """All rows of one channel."""
        found = [row for row in self._rows if (row["client"], row["connector"]) == (client_id, connector)]
        return sorted(found, key=lambda row: (row["TIMESTAMP_X"], row["ID"]))

    def reserve(self, rows: list[Row]) -> str:
        """Put rows aside under a new process and give its ID."""
        process_id = secrets.token_hex(16)
        for row in rows:
            row["PROCESS_ID"] = process_id
        return process_id

    def remove(self, rows: list[Row]) -> None:
        """Delete rows."""
        for row in rows:
            self._rows.remove(row["ID"])

    def has_news(self, client_id: str) -> bool:
        """Whether something came for the application since this was last asked."""
        is_new = client_id in self._news
        self._news.discard(client_id)
        return is_new

    def clear_all(self) -> None:
        """Forget rows and subscriptions."""
        self.subscriptions.clear()
        self._rows = Table()
        self._news.clear()

    def _collapse(self, one: Subscription, data: dict[str, Any], *, actor: Actor, moment: datetime) -> None:
        key = hashlib.md5(f"{one.event}{json.dumps(data)}".encode(), usedforsecurity=False).hexdigest()
        row = next((r for r in self.waiting(one.client_id, one.connector) if r["key"] == key), None)
        if row is None:
            row = {
                "ID": self._rows.next_id(),
                "client": one.client_id,
                "connector": one.connector,
                "key": key,
            }
            row |= {"EVENT_NAME": one.event, "EVENT_DATA": data, "PROCESS_ID": "", "ERROR": 0}
            row["MESSAGE_ID"] = secrets.token_hex(16)
            self._rows.insert(row)
        row |= {"TIMESTAMP_X": moment, "EVENT_ADDITIONAL": {"user_id": str(actor.user_id)}}
