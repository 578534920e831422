"""A portal that runs: started and stopped from Python."""

import ssl
import threading
from typing import Any

from sandbox.emulators.bitrix24 import fixtures, inspection
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.server import PortalServer
from sandbox.emulators.bitrix24.settings import Settings
from sandbox.emulators.bitrix24.table import Row


class Emulator:
    """One portal and its server; `url` is the base of the incoming webhook, `portal` the data."""

    def __init__(
        self, portal: EmulatedPortal, *, host: str, port: int, ssl_context: ssl.SSLContext | None
    ) -> None:
        """Start listening at once; port 0 takes a free one and keeps it over restarts."""
        self.portal = portal
        self._host, self._port, self._context = host, port, ssl_context
        self._server: PortalServer | None = None
        self.restart()

    @property
    def base(self) -> str:
        """Scheme, host and port."""
        return self.portal.base

    @property
    def url(self) -> str:
        """The address of the incoming webhook as staff copy it out of the portal, with a slash at the end."""
        settings = self.portal.settings
        return f"{self.base}/rest/{settings.user_id}/{settings.code}/"

    @property
    def port(self) -> int:
        """The port that is, or was, listened on."""
        return self._port

    def stop(self) -> None:
        """Stop listening and break every open connection; the data stays."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut_all()
            self.portal.events.sender.stop()

    def restart(self) -> None:
        """Listen again on the same port with the same data."""
        self.stop()
        self._server = PortalServer((self._host, self._port), self.portal, context=self._context)
        self._port = self._server.server_port
        scheme = "https" if self._context else "http"
        self.portal.base = f"{scheme}://{self._host}:{self._port}"
        loop = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="emulator", daemon=True
        )
        loop.start()

    def faults(self, **wanted: Any) -> None:
        """Replace all faults; without arguments everything works again."""
        self.portal.faults.replace(wanted)

    def add(self, kind: str, *rows: Row, fire: bool = False) -> list[int]:
        """Seed things of one kind and give their IDs."""
        return fixtures.add(self.portal, kind, rows=list(rows), fire=fire)

    def deals(self, originator: str | None = None) -> list[Row]:
        """Every deal with its whole content."""
        return inspection.records(self.portal, "deals", originator=originator)

    def records(self, kind: str) -> list[Row]:
        """Every record of `deals`, `contacts`, `companies` or `leads`."""
        return inspection.records(self.portal, kind)

    def comments(self, deal_id: int) -> list[Row]:
        """Comments of one deal, oldest first."""
        return inspection.comments(self.portal, deal_id)

    def stats(self) -> dict[str, Any]:
        """The counters."""
        return inspection.stats(self.portal)

    def listen(self, event: str, url: str, *, application_token: str = "", client_id: str = "") -> None:
        """Send an event to an address from now on."""
        self.portal.events.add_handler(event, url, application_token=application_token, client_id=client_id)

    def wait_for_events(self, seconds: float = 10.0) -> bool:
        """Wait until every event is sent; says whether that came about in time."""
        return self.portal.events.sender.wait(seconds)


def start(
    port: int = 0, *, host: str = "127.0.0.1", ssl_context: ssl.SSLContext | None = None, **settings: Any
) -> Emulator:
    """Start a portal; `settings` are those of `Settings`, the bucket being off unless one is given."""
    chosen = Settings(**({"bucket": None} | settings))
    return Emulator(EmulatedPortal(chosen), host=host, port=port, ssl_context=ssl_context)
