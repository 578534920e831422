"""The exchange about leads with real processes: our roles, an emulated portal, a NestJS program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.demo import Process, wait_until
from sync.models import ApiKey, CoreUser, Event, Job, Message, Portal, Route
from tests.journeys.conftest import FAST
from tests.nest import ReceivedMessage
from tests.portals import LocalPortal
from tests.processes import Site, WebServer
from tests.rabbitmq import Exchange

SECONDS = 60


@dataclass
class LeadsRig:
    """One installation with its queues and its emulated portal; `key` is a key of the users API."""

    site: Site
    exchange: Exchange
    key: str = ""
    portal: LocalPortal | None = None

    def install(self, *, bucket: tuple[float, float] | None = None, **portal: Any) -> None:
        """Make an emulated portal (`portal`: its columns), the route to it, and a key for the users API."""
        self.site.settings |= {
            **self.exchange.settings,
            "WATCHDOG_SECONDS": "20",
            "SQLITE_SYNCHRONOUS": "NORMAL",
            "WORKERS": "2",
        }
        self.portal = LocalPortal.with_bucket(bucket)
        with self.site.orm():
            core = Portal.objects.create(slug="core", kind="core")
            url = self.portal.webhook_url
            crm = Portal.objects.create(slug="crm", name="CRM", webhook_url=url, **{**FAST, **portal})
            Route.objects.create(slug="leads", flow="leads", source=core, target=crm)
            key = ApiKey(name="tests", scopes=ApiKey.Scope.values)
            self.key = key.issue()
            key.save()

    def work(self) -> Process:
        """Start a worker cluster."""
        return self.site.start("qcluster")

    def consume(self, *words: str, **settings: str) -> Process:
        """Start a consumer; return when it reads its queues."""
        consumer = self.site.start("consume", *words, **settings)
        wait_until(lambda: " is read." in consumer.output(), seconds=SECONDS, what=consumer.output)
        return consumer

    def serve(self, **options: Any) -> WebServer:
        """Start gunicorn."""
        return self.site.serve(**options)

    def ask(self, web: WebServer, method: str, path: str, **body: Any) -> Any:
        """Send a request to the users API; the JSON of its answer."""
        answer = requests.request(
            method, web.url + path, json=body or None, headers={"X-Api-Key": self.key}, timeout=30
        )
        assert answer.ok, answer.text
        return answer.json()

    def leads(self) -> list[dict[str, Any]]:
        """All leads of the portal."""
        assert self.portal is not None
        found: list[dict[str, Any]] = self.portal.get("leads")["leads"]
        return found

    def leads_a_user(self) -> Counter[str]:
        """User ID → how many leads it has."""
        return Counter(str(lead["ORIGIN_ID"]) for lead in self.leads())

    def wait_until(self, is_true: Callable[[], bool], *, seconds: float = SECONDS) -> None:
        """Wait until `is_true`; otherwise fail with the state of everything."""
        wait_until(is_true, seconds=seconds, what=self.status)

    def is_quiet(self) -> bool:
        """Whether no message waits, no event is unsorted and no job is open."""
        with self.site.orm():
            return not (
                Message.unsent().exists()
                or Event.objects.filter(outcome=Event.Outcome.WAITING).exists()
                or Job.objects.filter(state__in=Job.OPEN).exists()
            )

    def states(self) -> dict[str, int]:
        """The number of users of our core by the state of their lead."""
        with self.site.orm():
            return dict(Counter(CoreUser.objects.values_list("lead_state", flat=True)))

    def status(self) -> str:
        """Rows and logs for a failure message."""
        with self.site.orm():
            jobs = list(Job.objects.exclude(state="done").values("source_id", "state", "step", "note")[:5])
            counts = {"unsent": Message.unsent().count(), "events": Event.objects.count()}
        logs = "\n".join(f"--- {one.log.name}\n{one.output()[-1500:]}" for one in self.site.running)
        return f"{counts} {jobs} {logs}"

    def stop(self) -> None:
        """Stop the portal; the site stops the rest."""
        if self.portal is not None:
            self.portal.stop()


def user(number: int, **fields: Any) -> dict[str, Any]:
    """The data of user `number` as the original core sends it."""
    phone = f"+7916{number:07d}"
    return {"id": number, "full_name": f"Анна №{number} 🙂", "phone": phone, "stage": "NEW", **fields}


def reply_data(got: ReceivedMessage) -> Any:
    """The data of a reply, after a check that its packet is exactly that of the original."""
    packet = got.packet
    assert list(packet) == ["pattern", "data"]
    assert packet["pattern"] == "bitrix.responses"
    return packet["data"]
