"""Reports to Sentry as they are sent: received by a server of the test over real HTTP."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CRASH = """
import django, logging, sentry_sdk
django.setup()
def call(phone):
    address = "https://x.bitrix24.ru/rest/1/TopSecretCode/"
    logging.getLogger("sync").error("no answer from %s for +7 916 123-45-67", address)
    raise RuntimeError(f"crm.deal.get at {address}profile?token=TopSecretToken by ivan@example.com")
try:
    call("8 (916) 765 43 21")
except RuntimeError as error:
    sentry_sdk.capture_exception(error)
sentry_sdk.flush(5)
"""


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[str]]]:
    """A DSN and the texts that arrive there."""
    texts: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            texts.append((gzip.decompress(body) if is_packed else body).decode())
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://key@127.0.0.1:{server.server_port}/1", texts
    server.shutdown()
    server.server_close()


def test_a_report_carries_the_error_but_no_secret_and_nobodys_data(sentry: tuple[str, list[str]]) -> None:
    dsn, texts = sentry
    environment = {**os.environ, "SENTRY_DSN": dsn, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", CRASH], env=environment, cwd=ROOT, check=True, timeout=60)
    sent = "\n".join(texts)
    assert "RuntimeError" in sent
    assert "crm.deal.get at https://x.bitrix24.ru/rest/1/***/profile" in sent
    events = [json.loads(line) for line in sent.splitlines() if '"exception"' in line or '"logentry"' in line]
    assert events
    for hidden in ("TopSecretCode", "TopSecretToken", "ivan@example.com", "916"):
        assert hidden not in sent
