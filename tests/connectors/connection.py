"""The part of the clients' contract about their connection: kept, replaced, and clean."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from sync.connectors.types import Access, Client, Command
from tests.connectors.scripted import Behaviour, Scripted, answer


class ConnectionContract:
    """Give `open` and `good`; inherit the tests."""

    command = Command("some.method", {"id": "5"})

    def open(self, access: Access) -> Client:
        """The client under test."""
        pytest.fail("the client's test says how to open it")

    def good(self) -> Behaviour:
        """A good answer to one command."""
        pytest.fail("the client's test says what a good answer is")

    def access(self, url: str, **changes: Any) -> Access:
        """How the tests reach a portal: on loopback, impatiently."""
        settings: dict[str, Any] = {"allow_private": True, "connect_timeout": 1.0, "read_timeout": 1.0}
        return Access("source", url, **(settings | changes))

    def test_the_connection_is_kept_between_calls(self) -> None:
        with Scripted([self.good()]) as server:
            client = self.open(self.access(server.url))
            for _ in range(3):
                client.execute({"a": self.command}).answers["a"].result()
        assert server.connections == 1

    def test_a_connection_the_other_side_has_closed_is_replaced(self) -> None:
        def say_and_close(connection: socket.socket) -> bool:
            self.good()(connection)
            return False

        with Scripted([say_and_close]) as server:
            client = self.open(self.access(server.url))
            for _ in range(3):
                client.execute({"a": self.command}).answers["a"].result()
                time.sleep(0.05)
        assert server.connections == 3

    def test_it_says_who_it_is_and_takes_nothing_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        with Scripted([self.good()]) as server:
            self.open(self.access(server.url)).execute({"a": self.command})
        assert server.received[0].headers["user-agent"].startswith("B24-Interconnector/")
        assert "authorization" not in server.received[0].headers

    def test_it_keeps_no_cookies(self) -> None:
        def good_with_cookie(connection: socket.socket) -> bool:
            answer({"result": []}, Set_Cookie="PHPSESSID=1; path=/")(connection)
            return True

        with Scripted([good_with_cookie]) as server:
            client = self.open(self.access(server.url))
            for _ in range(2):
                client.execute({"a": self.command})
        assert "cookie" not in server.received[1].headers
