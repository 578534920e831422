"""The HTTP server: keep-alive, one thread a connection, and connections that break on demand."""

import os
import socket
import socketserver
import ssl
import struct
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.emulators.bitrix24 import control, oauth, rest
from sandbox.emulators.bitrix24.http_types import Reply, Request
from sandbox.emulators.bitrix24.portal import EmulatedPortal

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_PIECES = 10


class PortalServer(ThreadingHTTPServer):
    """Listens for one portal and remembers its open connections, so that stopping really cuts them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(
        self, address: tuple[str, int], portal: EmulatedPortal, *, context: ssl.SSLContext | None
    ) -> None:
        """Bind and listen; with a context the connections are TLS."""
        self.portal = portal
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, PortalHandler)
        if context is not None:
            # The handshake waits for the connection's own thread, or one slow client would stop all others.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self) -> None:
        """Bind without asking the name service who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        with self._open_lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        """Break every open connection."""
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that callers break are part of the test, not worth a traceback."""


class PortalHandler(BaseHTTPRequestHandler):
    """One connection to the portal."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: PortalServer

    def do_GET(self) -> None:
        """Serve a GET."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Serve a POST."""
        length = int(self.headers.get("Content-Length") or 0)
        self._serve(self.rfile.read(length) if length else b"")

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: tests read the counters instead."""

    def _serve(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        source = str(self.client_address[0])
        request = Request(self.command, path, query, self.headers, body, source)  # type: ignore[arg-type]
        self._send(_route(self.server.portal, request))

    def _send(self, reply: Reply) -> None:
        if reply.fault in {"reset", "drop"}:
            self._break(with_reset=reply.fault == "reset")
            return
        status = HTTPStatus(reply.status)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", f"Content-Type: {reply.content_type}"]
        lines += [f"Content-Length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if reply.fault == "middle":
            self.wfile.write(head + reply.body[: len(reply.body) // 2])
            self._break(with_reset=False)
        elif reply.slow_seconds:
            self._send_slowly(head, reply)
        else:
            self.wfile.write(head + reply.body)

    def _send_slowly(self, head: bytes, reply: Reply) -> None:
        self.wfile.write(head)
        size = max(1, -(-len(reply.body) // _PIECES))
        for first in range(0, len(reply.body), size):
            time.sleep(reply.slow_seconds / _PIECES)
            self.wfile.write(reply.body[first : first + size])

    def _break(self, *, with_reset: bool) -> None:
        """End the connection at once; closing the descriptor itself, since file objects hold it open."""
        self.close_connection = True
        if not with_reset:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        os.close(self.connection.detach())


def _route(portal: EmulatedPortal, request: Request) -> Reply:
    if request.path.startswith("/rest/"):
        return rest.serve(portal, request)
    if request.path.startswith("/emulator/"):
        return control.serve(portal, request)
    if request.path.startswith("/oauth/token"):
        return oauth.serve(portal, request)
    return Reply(404, b"<html><body>404</body></html>", "text/html")
