"""What every client promises, whatever the outside system: subclass it and say how to open and what is good.

The question each test asks of an error is the one the engine will ask: did it run, may it be repeated, who
helps?
"""

import socket
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from sync.connectors.types import Access
from sync.errors import NeedsStaff, OutcomeUnknown, PortalAway, Refused, SyncError, TryLater
from tests.connectors.certificates import self_signed
from tests.connectors.connection import ConnectionContract
from tests.connectors.scripted import Behaviour, Scripted, answer, dripping, hang_up, raw, reset, silence

SECRET = "Zq9s3cretCode"


class ClientContract(ConnectionContract):
    """Give `open` and the two answers; inherit the tests."""

    def fault(self, access: Access) -> SyncError:
        """The error a call ends with; checks what every error promises."""
        with pytest.raises(SyncError) as raised:
            self.open(access).execute({"a": self.command}).answers["a"].result()
        error = raised.value
        shown = "".join(traceback.format_exception(error)) + repr(error) + error.message
        assert SECRET not in shown
        assert "source" in error.message
        return error

    def fault_of(self, *script: Behaviour, **changes: Any) -> SyncError:
        with Scripted(list(script), **changes) as server:
            return self.fault(self.access(server.url))

    # --- it did not run -----------------------------------------------------------------------------

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        error = self.fault(self.access(f"http://127.0.0.1:{port}/rest/1/{SECRET}/"))
        assert type(error) is PortalAway
        assert error.is_portal_wide

    def test_the_name_does_not_resolve(self) -> None:
        url = f"https://nowhere.invalid/rest/1/{SECRET}/"
        for is_private in (True, False):
            error = self.fault(self.access(url, hosts=("*.invalid",), allow_private=is_private))
            assert type(error) is PortalAway

    def test_nobody_accepts_in_time(self) -> None:
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            waiting = [_knock(deaf.getsockname()) for _ in range(3)]
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}/rest/1/{SECRET}/"
            error = self.fault(self.access(url, connect_timeout=0.3))
            for one in waiting:
                one.close()
        assert type(error) is PortalAway

    def test_the_tls_handshake_is_reset(self, tmp_path: Path) -> None:
        error = self.fault_of(self.good(), context=self_signed(tmp_path), greeting=_hear_hello_then(reset))
        assert type(error) is PortalAway

    def test_the_tls_handshake_ends(self, tmp_path: Path) -> None:
        error = self.fault_of(self.good(), context=self_signed(tmp_path), greeting=_hear_hello_then(hang_up))
        assert type(error) is PortalAway

    def test_the_tls_handshake_hangs(self, tmp_path: Path) -> None:
        error = self.fault_of(self.good(), context=self_signed(tmp_path), greeting=silence(2))
        assert type(error) is PortalAway

    def test_the_certificate_is_not_valid(self, tmp_path: Path) -> None:
        with Scripted([self.good()], context=self_signed(tmp_path)) as server:
            error = self.fault(self.access(server.url))
        assert type(error) is PortalAway
        assert "certificate" in error.message
        assert server.received == []

    # --- it may have run ----------------------------------------------------------------------------

    @pytest.mark.parametrize("broken", [reset, hang_up])
    def test_the_connection_breaks_after_the_request_was_sent(self, broken: Behaviour) -> None:
        error = self.fault_of(broken)
        assert type(error) is OutcomeUnknown
        assert not error.is_timeout

    @pytest.mark.parametrize("broken", [reset, hang_up])
    def test_a_kept_connection_breaks_after_the_next_request_was_sent(self, broken: Behaviour) -> None:
        with Scripted([self.good(), broken]) as server:
            client = self.open(self.access(server.url))
            client.execute({"a": self.command})
            with pytest.raises(OutcomeUnknown):
                client.execute({"a": self.command})
        assert [received.connection for received in server.received] == [
            0,
            0,
        ]  # sent once, on the kept connection

    def test_no_answer_in_time(self) -> None:
        error = self.fault_of(silence(2))
        assert isinstance(error, OutcomeUnknown)
        assert error.is_timeout

    def test_an_answer_that_drips_meets_the_deadline_too(self) -> None:
        started = time.monotonic()
        error = self.fault_of(dripping(b"x" * 1000, every=0.05))
        assert time.monotonic() - started < 3
        assert isinstance(error, OutcomeUnknown)
        assert error.is_timeout

    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 2",
            b"not HTTP at all\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"result": {',
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
            b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + b"<html>maintenance....>",
        ],
    )
    def test_an_answer_that_is_cut_or_none(self, data: bytes) -> None:
        error = self.fault_of(raw(data))
        assert isinstance(error, OutcomeUnknown)
        assert error.is_portal_wide

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_page_instead_of_an_answer(self, status: int) -> None:
        error = self.fault_of(answer("<html><h1>Bad Gateway</h1></html>", status=status))
        assert isinstance(error, OutcomeUnknown)
        assert error.is_portal_wide
        assert error.status == status

    # --- a person helps -----------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/rest/1/Zq9s3cretCode/",
            "https://x.example.ru.evil.com/rest/1/Zq9s3cretCode/",
            "https://example.ru/rest/1/Zq9s3cretCode/",
            "http://x.example.ru/rest/1/Zq9s3cretCode/",
            "https://x.example.ru:8443/rest/1/Zq9s3cretCode/",
            "https://user:pass@x.example.ru/rest/1/Zq9s3cretCode/",
            "https://x.example.ru\\@evil.com/rest/1/Zq9s3cretCode/",
            "https://x.example.ru:port/rest/1/Zq9s3cretCode/",
            "https://[::1/rest/1/Zq9s3cretCode/",
            "ftp://x.example.ru/rest/1/Zq9s3cretCode/",
            "file:///etc/passwd",
            "x.example.ru/rest/1/Zq9s3cretCode/",
            "",
        ],
    )
    def test_an_address_that_must_not_be_called(self, url: str) -> None:
        error = self.fault(self.access(url, hosts=("*.example.ru",), allow_private=False))
        assert isinstance(error, NeedsStaff)

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "0.0.0.0"]
    )
    def test_a_private_address_is_refused_even_when_its_name_is_allowed(self, host: str) -> None:
        error = self.fault(self.access(f"https://{host}/rest/1/{SECRET}/", hosts=("*",), allow_private=False))
        assert isinstance(error, NeedsStaff)

    def test_a_redirect_to_a_foreign_host_is_not_followed(self) -> None:
        with Scripted([self.good()]) as foreign:
            elsewhere = foreign.url.replace("127.0.0.1", "evil.example")
            error = self.fault_of(answer("", status=302, Location=elsewhere))
        assert isinstance(error, NeedsStaff)
        assert "evil.example" in error.message

    def test_limits_of_the_portal_spend_no_attempt(self) -> None:
        error = self.fault_of(answer("slow down", status=429, Retry_After="7"))
        assert isinstance(error, TryLater)
        assert not error.spends_attempt
        assert error.after == 7

    def test_a_record_it_refuses_is_no_trouble_of_the_portal(self) -> None:
        error = self.fault_of(answer("<html>too large</html>", status=413))
        assert isinstance(error, Refused)
        assert not error.is_portal_wide


def _knock(address: tuple[str, int]) -> socket.socket:
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(address)
    return one


def _hear_hello_then(act: Behaviour) -> Behaviour:
    def greet(connection: socket.socket) -> bool:
        connection.recv(65536)
        return act(connection)

    return greet
