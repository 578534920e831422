"""An installation: two emulated portals, the web process and the workers over one database."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from sandbox.demo.processes import PROJECT, Process, free_port, run_manage, stop_all, wait_until

EXAMPLE = PROJECT / "examples" / "vinilam-vinipol.yaml"
TOKEN = "demo-token"  # noqa: S105  # of portals that live for a minute
SECONDS = 30


class PortalControl:
    """An emulated portal that listens at `port`, and what is asked of it."""

    port: int

    @property
    def base(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook_url(self) -> str:
        """Its incoming webhook."""
        return f"{self.base}/rest/1/demo0code/"

    def get(self, path: str, **query: Any) -> Any:
        """What its control path tells."""
        answer = requests.get(f"{self.base}/emulator/{path}", params=query, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        """Tell it something by its control path."""
        answer = requests.post(f"{self.base}/emulator/{path}", json=body, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json()

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """One REST call, as a person at the portal would make it."""
        answer = requests.post(f"{self.webhook_url}{method}", json=params, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json()["result"]

    def deals(self) -> list[dict[str, Any]]:
        """All its deals, as they are."""
        found: list[dict[str, Any]] = self.get("deals")["deals"]
        return found


class PortalProcess(PortalControl):
    """An emulated portal in its own process."""

    def __init__(self, name: str, *, folder: Path, environment: dict[str, str], options: list[str]) -> None:
        """As soon as it answers."""
        self.port = free_port()
        arguments = ["emulate", "bitrix24", "--port", str(self.port), *options]
        self.process = Process.manage(*arguments, log=folder / f"{name}.log", environment=environment)
        self.process.wait_for(f"{self.base}/emulator/stats")


@dataclass
class Installation:
    """Everything that runs. `portal` overrides settings of both portals in the example configuration."""

    folder: Path
    database_url: str
    portal: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    emulator: list[str] = field(default_factory=list)
    web_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.environment = {
            "DATABASE_URL": self.database_url,
            "ALLOW_PRIVATE_HOSTS": "true",
            "PORTAL_HOSTS": "127.0.0.1,localhost",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "HTTPS": "false",
            "DEBUG": "false",
            "LOG_LEVEL": "WARNING",
            "BITRIX_SOURCE_URL": "",
            "BITRIX_TARGET_URL": "",
            "B24_AUTH_TOKEN": "",
            "BITRIX_WEBHOOK_URL": "",
            "RABBITMQ_URL": "",
            **self.settings,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        self.running: list[Process] = []

    def start(self) -> None:
        """Portals, database, configuration, web and worker, in this order."""
        self.source, self.target = self.open_portal("source"), self.open_portal("vinipol")
        self.migrate()
        self.configure()
        self.web = self.start_web()
        self.worker = self.start_worker("worker")
        self.web.wait_for(f"{self.base}/healthz")

    def stop(self) -> None:
        """End everything that was started."""
        stop_all(self.running)

    def open_portal(self, name: str) -> PortalControl:
        """An emulated portal, as soon as it answers."""
        portal = PortalProcess(name, folder=self.folder, environment=self.environment, options=self.emulator)
        self._keep(portal.process)
        return portal

    def migrate(self) -> None:
        """Make the tables."""
        self.manage("migrate", "--verbosity", "0")

    @property
    def base(self) -> str:
        """Where the web process listens."""
        return f"http://127.0.0.1:{self.web_port}"

    def configuration(self) -> dict[str, Any]:
        """The shipped example, pointed at the emulated portals."""
        config: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
        portals = {"source": self.source, "vinipol": self.target}
        for portal in config["portals"]:
            url = portals[portal["slug"]].webhook_url
            portal |= {"webhook_url": url, "inbound_token": TOKEN, **self.portal}
        return config

    def configure(self) -> None:
        """Import the configuration."""
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(self.configuration(), allow_unicode=True))
        self.manage("import_config", str(path))

    def start_web(self) -> Process:
        """gunicorn, as in production."""
        gunicorn = ["gunicorn", "interconnector.wsgi", "--config", "deploy/gunicorn.conf.py"]
        bind = ["--bind", f"127.0.0.1:{self.web_port}"]
        return self._keep(
            Process(
                [sys.executable, "-m", *gunicorn, *bind],
                log=self.folder / "web.log",
                environment=self.environment,
            )
        )

    def start_worker(self, name: str, **settings: str) -> Process:
        """One worker cluster."""
        environment = {**self.environment, **settings}
        return self._keep(
            Process.manage("qcluster", log=self.folder / f"{name}.log", environment=environment)
        )

    def listen(self, *, events: tuple[str, ...] = ("ONCRMDEALADD", "ONCRMDEALUPDATE")) -> None:
        """Let both portals send their webhooks to us."""
        for portal, slug in ((self.source, "source"), (self.target, "vinipol")):
            url = f"{self.base}/inbound/from-{slug}"
            for event in events:
                portal.post(
                    "handlers", {"event": event, "url": url, "application_token": TOKEN, "kind": "webhook"}
                )

    def seed(self, count: int, *, is_silent: bool = False, **fields: Any) -> list[str]:
        """New deals on the source portal, ready to be passed on; their IDs."""
        deal = {"TITLE": "Deal {n}", "OPPORTUNITY": 1000, "CATEGORY_ID": 2, "STAGE_ID": "C2:NEW", **fields}
        ids = self.source.post("deals", {"count": count, "fields": deal, "fire": not is_silent})["ids"]
        return [str(one) for one in ids]

    def webhook(self, slug: str, **params: Any) -> requests.Response:
        """One webhook from a portal's robot."""
        url = f"{self.base}/inbound/from-{slug}"
        return requests.post(url, data={"token": TOKEN, **params}, timeout=SECONDS)

    def manage(self, *arguments: str) -> str:
        """Run a `manage.py` command to its end; its output."""
        return run_manage(*arguments, environment=self.environment)

    def queue(self) -> dict[str, Any]:
        """What `manage.py queue --json` tells."""
        counts: dict[str, Any] = json.loads(self.manage("queue", "--json"))
        return counts

    def wait_until_idle(self, *, seconds: float, arrivals: int = 0) -> dict[str, Any]:
        """Until `arrivals` deals are on the target and no job waits or runs; the last counts.

        TimeoutError with them otherwise.
        """
        counts: dict[str, Any] = {}

        def is_idle() -> bool:
            counts.update(self.queue())
            if arrivals and len(self.target.deals()) < arrivals:
                return False
            return not (counts["jobs"]["waiting"] or counts["jobs"]["running"])

        wait_until(is_idle, seconds=seconds, what=lambda: f"{counts} {self.worker.output()[-3000:]}")
        return counts

    def _keep(self, process: Process) -> Process:
        self.running.append(process)
        return process
