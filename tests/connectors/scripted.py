"""A server that answers each request by a script, down to how the connection breaks."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

Behaviour = Callable[[socket.socket], bool]
"""Does something to the connection after a request was read; says whether the connection lives on."""


@dataclass
class ReceivedRequest:
    """One request as it arrived; `connection` counts the connections from 0."""

    verb: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(value: Any = None, *, status: int = 200, **headers: str) -> Behaviour:
    """A whole answer: JSON, or text as it is."""
    is_raw = isinstance(value, str | bytes)
    body = value if isinstance(value, bytes) else (value if is_raw else json.dumps(value)).encode()
    shown = {
        "Content-Type": "text/html" if is_raw else "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {text}\r\n" for name, text in shown.items())

    def act(connection: socket.socket) -> bool:
        connection.sendall(head.encode("latin-1", "surrogateescape") + b"\r\n" + body)
        return True

    return act


def raw(data: bytes) -> Behaviour:
    """Exactly these bytes, then the end."""

    def act(connection: socket.socket) -> bool:
        connection.sendall(data)
        return False

    return act


def silence(seconds: float) -> Behaviour:
    """Nothing for a while, then the end."""

    def act(connection: socket.socket) -> bool:
        time.sleep(seconds)
        return False

    return act


def dripping(body: bytes, *, every: float) -> Behaviour:
    """One byte at a time."""

    def act(connection: socket.socket) -> bool:
        connection.sendall(f"HTTP/1.1 200 X\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        for byte in body:
            time.sleep(every)
            connection.sendall(bytes([byte]))
        return True

    return act


def reset(connection: socket.socket) -> bool:
    """RST instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def hang_up(connection: socket.socket) -> bool:
    """FIN instead of an answer."""
    return False


@dataclass
class Scripted:
    """Listens on loopback; use as a context manager. Past the script's end it answers like its last entry."""

    script: list[Behaviour]
    context: ssl.SSLContext | None = None
    greeting: Behaviour | None = None  # before any request is read
    received: list[ReceivedRequest] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @property
    def url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self.port}/rest/1/Zq9s3cretCode/"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number, self.connections = self.connections, self.connections + 1
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self.greeting is not None and not self.greeting(connection):
                return
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            while (request := _read(connection, number)) is not None:
                self.received.append(request)
                act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if not act(connection):
                    return
        except OSError:
            return
        finally:
            connection.close()


def _read(connection: socket.socket, number: int) -> ReceivedRequest | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    verb, target, _ = first.split(" ")
    return ReceivedRequest(verb, target, headers, body, number)
