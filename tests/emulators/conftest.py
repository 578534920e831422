"""A fresh portal for every test, spoken to over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from sandbox.emulators.bitrix24 import Emulator, start
from sandbox.emulators.bitrix24.params import Params, parse_form


class Talker:
    """Calls methods the way a plain client would: JSON by POST over one kept connection."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.session = requests.Session()
        self.status = 0

    def whole(self, method: str, **params: Any) -> dict[str, Any]:
        """The envelope, whatever the status."""
        answer = self.session.post(self.emulator.url + method, json=params, timeout=20)
        self.status = answer.status_code
        return answer.json()

    def __call__(self, method: str, **params: Any) -> Any:
        """The result of a call that must succeed."""
        envelope = self.whole(method, **params)
        assert "result" in envelope, envelope
        return envelope["result"]

    def error(self, method: str, **params: Any) -> tuple[int, Any]:
        """Status and code of a call that must fail."""
        envelope = self.whole(method, **params)
        assert "error" in envelope, envelope
        return self.status, envelope["error"]

    def batch(self, cmd: Any, **params: Any) -> Any:
        """The five maps of a batch."""
        return self("batch", cmd=cmd, **params)

    def control(self, path: str, **body: Any) -> Any:
        """One control request."""
        answer = self.session.post(f"{self.emulator.base}/emulator/{path}", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, path: str) -> Any:
        """One control reading."""
        return self.session.get(f"{self.emulator.base}/emulator/{path}", timeout=20).json()


class Mailbox:
    """Receives events and keeps them in the order of arrival, flat and nested."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        box = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                box.bodies.append(self.rfile.read(length).decode())
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{self.server.server_port}/inbound?secret=x"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def events(self) -> list[Params]:
        return [parse_form(body) for body in self.bodies]

    @property
    def names(self) -> list[str]:
        return [event.get("event", "") for event in self.events]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    running = start()
    yield running
    running.stop()


@pytest.fixture
def make() -> Iterator[Callable[..., Talker]]:
    """Portals with settings of one's own."""
    running: list[Emulator] = []

    def make_one(**settings: Any) -> Talker:
        running.append(start(**settings))
        return Talker(running[-1])

    yield make_one
    for one in running:
        one.stop()


@pytest.fixture
def call(emulator: Emulator) -> Talker:
    return Talker(emulator)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.server.shutdown()
    box.server.server_close()
