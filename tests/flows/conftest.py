"""The engine in this process against two emulated portals over real HTTP."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.utils import timezone

from sandbox.emulators.bitrix24 import Emulator, start
from sync import engine, inbox
from sync.connectors.rabbitmq import leads
from sync.connectors.rabbitmq.wire import Packet
from sync.connectors.types import IncomingEvent
from sync.models import FieldMapping, Job, Message, Pace, Portal, Route, ValueMapping

PORTAL = {
    "inbound_token": "a-token",
    "requests_per_minute": 100_000,
    "burst": 1000,
    "bucket_size": 100_000,
    "bucket_leak": 10_000.0,
    "request_seconds": 5,
}
"""`request_seconds`: no answer is late on a slow machine. Tests of late ones set less."""

COMMENT = "Создана сделка №{target_id}"
STAGE = "C2:UC_MXQPC8"


@dataclass
class PortalPair:
    """Two emulated portals, the deals route from `source` to `target`, and helpers that send events and work.

    Nothing runs by itself: `webhook` and `feedback` store events, `run` and `fast_forward` work on them.
    """

    source: Emulator
    target: Emulator
    route: Route
    sent: int = field(default=0)

    @property
    def from_portal(self) -> Portal:
        """The row of the source portal."""
        return self.route.source

    @property
    def to_portal(self) -> Portal:
        """The row of the target portal."""
        return self.route.target

    def map(self, to: str, **row: Any) -> FieldMapping:
        """Add a field mapping to the route; `values`: its value list as a dict."""
        values = row.pop("values", {})
        mapping = FieldMapping.objects.create(route=self.route, to=to, **row)
        for value, becomes in values.items():
            ValueMapping.objects.create(mapping=mapping, value=value, becomes=becomes)
        return mapping

    def seed(self, count: int = 1, **fields: Any) -> list[str]:
        """Add deals on the source portal without sending a webhook; their IDs."""
        deal = {"TITLE": "Deal", "OPPORTUNITY": 100, "CATEGORY_ID": 2, "STAGE_ID": "C2:NEW", **fields}
        return [self.call("source", "crm.deal.add", {"fields": deal}) for _ in range(count)]

    def webhook(self, deal_id: str, *, portal: Portal | None = None, **params: str) -> bool:
        """Store a webhook of the source portal (or another), each with a timestamp of its own."""
        self.sent += 1
        notice = IncomingEvent(
            "deal", "", str(deal_id), own_id=str(deal_id), params=params, sent_at=str(self.sent)
        )
        return inbox.receive(portal or self.from_portal, notice, details={})

    def feedback(self, deal_id: str, **params: str) -> bool:
        """Store a webhook of the target portal about one of its deals."""
        return self.webhook(deal_id, portal=self.to_portal, **params)

    def drain(self) -> int:
        """Drain each portal once; the number of requests sent."""
        return engine.drain(self.from_portal.pk) + engine.drain(self.to_portal.pk)

    def fast_forward(self, rounds: int = 1) -> None:
        """Drain each portal `rounds` times, each time with every waiting job due and no portal away."""
        for _ in range(rounds):
            Pace.objects.update(away_until=0)
            Job.objects.filter(state="waiting", head_of__isnull=False).update(due_at=timezone.now())
            self.drain()

    def run(self, *, seconds: float = 60, is_patient: bool = False) -> None:
        """Drain both portals until no job is open; see `work_off`."""
        work_off(self.drain, seconds=seconds, is_patient=is_patient)

    def call(self, side: str, method: str, params: dict[str, Any]) -> Any:
        """Call a REST method of the portal at `side`, as its users do."""
        return getattr(self, side).call(method, params)

    def carry(self, **what: Any) -> None:
        """Set what else travels with a deal: the route's option `carry`."""
        self.route.options = {**self.route.options, "carry": what}
        self.route.save(update_fields=["options"])

    def requests(self) -> int:
        """The number of HTTP requests that both portals have received."""
        return sum(getattr(self, side).get("stats")["requests"] for side in ("source", "target"))

    def calls(self, side: str, method: str) -> int:
        """How often a REST method of the portal at `side` was called."""
        return getattr(self, side).get("stats")["calls"].get(method, 0)

    def deals(self) -> list[dict[str, Any]]:
        """All deals of the target portal."""
        return self.target.get("deals")["deals"]

    def card(self, deal_id: str) -> dict[str, Any]:
        """The deal with this ID on the source portal."""
        return next(row for row in self.source.get("deals")["deals"] if str(row["ID"]) == str(deal_id))

    def comments(self, deal_id: str) -> list[str]:
        """The comments of a deal on the source portal."""
        return [row["COMMENT"] for row in self.source.get("comments", deal=deal_id)["comments"]]

    def job(self) -> Job:
        """The only job there is."""
        return Job.objects.get()

    def retry(self) -> int:
        """Requeue the failed jobs, as staff's Retry does; how many."""
        return Job.objects.requeue(now=timezone.now())


class PortalHandle:
    """An emulated portal: `call` its REST API, `get` and `post` to the emulator's own pages."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.url, self.base = emulator.url, emulator.base

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a REST call."""
        answer = requests.post(f"{self.url}{method}", json=params, timeout=20)
        answer.raise_for_status()
        return answer.json()["result"]

    def get(self, path: str, **query: Any) -> Any:
        """What the emulator shows: its records (`deals`, `leads`, …) or its `stats`."""
        return requests.get(f"{self.base}/emulator/{path}", params=query, timeout=20).json()

    def post(self, path: str, body: Any) -> Any:
        """Set the emulator up: `faults`, `limits`, `stats/reset`."""
        answer = requests.post(f"{self.base}/emulator/{path}", json=body, timeout=20)
        answer.raise_for_status()
        return answer.json()


def work_off(drain: Callable[[], int], *, seconds: float, is_patient: bool = False) -> None:
    """Drain until no job is open; TimeoutError when that takes longer than `seconds`.

    Nobody waits for the clock: when nothing else is to be done, a job that waits for its moment is due at
    once. `is_patient` lets it wait. A portal's pace and its open breaker are always waited for.
    """
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if drain():
            continue
        if not Job.objects.filter(state__in=Job.OPEN).exists():
            return
        if is_patient or not make_due():
            time.sleep(0.05)
    raise TimeoutError(list(Job.objects.filter(state__in=Job.OPEN).values("step", "state", "note")))


def make_due() -> int:
    """Make the jobs due that wait for a moment; how many there were."""
    now = timezone.now()
    return Job.objects.filter(state="waiting", due_at__gt=now).update(due_at=now)


@dataclass
class LeadsRig:
    """The route from the users API (the core) to an emulated portal's leads, with helpers to work on it."""

    portal: PortalHandle
    route: Route

    def send(self, action: leads.Action, *users: dict[str, Any], reply_queue: str = "replies") -> None:
        """Store requests about users as the consumer does, each as a message of its own."""
        packets = [Packet(*leads.request(action, user, reply_queue)) for user in users]
        arrivals = {uuid.uuid4().hex: leads.read_request(packet) for packet in packets}
        inbox.receive_many(self.route.source, arrivals)

    def drain(self) -> int:
        """Drain both portals once: sort the events, then call the portal while its pace allows."""
        return engine.drain(self.route.source.pk) + engine.drain(self.route.target.pk)

    def run(self, *, seconds: float = 60, is_patient: bool = False) -> None:
        """Drain until no job is open; see `work_off`."""
        work_off(self.drain, seconds=seconds, is_patient=is_patient)

    def try_once(self) -> None:
        """Drain once with every waiting job due and no portal away."""
        Job.objects.filter(state="waiting", head_of__isnull=False).update(due_at=timezone.now())
        Pace.objects.update(away_until=0)
        self.drain()

    def leads(self) -> list[dict[str, Any]]:
        """All leads of the portal."""
        return self.portal.get("leads")["leads"]

    def phones(self) -> list[str]:
        """The phone numbers of the only lead."""
        [lead] = self.leads()
        return [row["VALUE"] for row in lead["PHONE"]]

    def replies(self, status: str = "") -> list[dict[str, Any]]:
        """The replies to the core in their order; only those of one status, if named."""
        replies = [message.data for message in Message.objects.order_by("id")]
        return [reply for reply in replies if status in ("", reply["status"])]

    def calls(self, method: str) -> int:
        """How often a REST method of the portal was called."""
        return self.portal.get("stats")["calls"].get(method, 0)


def user(number: int = 1, **fields: Any) -> dict[str, Any]:
    """The data of user `number` as the core sends it."""
    known = {"id": number, "full_name": f"User {number}", "phone": f"+7900000{number:04}", "stage": "NEW"}
    return known | fields


@pytest.fixture
def rig(transactional_db: None) -> Iterator[LeadsRig]:
    """An emulated portal that gets the leads of the users API."""
    cache.clear()  # it holds what is known of a portal's leads
    emulator = start(port=0, bucket=None)
    core = Portal.objects.create(slug="core", name="core", kind="core")
    portal = Portal.objects.create(slug="crm", name="crm", webhook_url=emulator.url, **PORTAL)
    route = Route.objects.create(slug="users-leads", flow="leads", source=core, target=portal)
    yield LeadsRig(portal=PortalHandle(emulator), route=route)
    emulator.stop()


@pytest.fixture
def pair(transactional_db: None) -> Iterator[PortalPair]:
    """Two emulated portals without limits, and a deals route between them that reports back."""
    source, target = (start(port=0, bucket=None) for _ in range(2))
    portals = [
        Portal.objects.create(slug=slug, name=slug, webhook_url=emulator.url, **PORTAL)
        for slug, emulator in (("alpha", source), ("beta", target))
    ]
    options = {"comment": COMMENT, "stage": STAGE}
    route = Route.objects.create(slug="alpha-beta", source=portals[0], target=portals[1], options=options)
    pair = PortalPair(source=PortalHandle(source), target=PortalHandle(target), route=route)  # type: ignore[arg-type]
    pair.map("TITLE", origin="field", source="TITLE")
    pair.map("CATEGORY_ID", origin="value", source="25", when="create")
    pair.map("STAGE_ID", origin="value", source="C25:NEW", when="create")
    yield pair
    source.stop()
    target.stop()
