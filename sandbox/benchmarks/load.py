"""A load of webhooks over kept-alive connections, from a process of its own.

Run as a program with the fields of `LoadSpec` as JSON; prints what came of it. One thread and raw sockets:
a request costs it 60 µs, so that on a shared machine it takes little from the server.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LoadSpec:
    """POST `body` with `{n}` counted up from `first` to `path`, over so many `connections`.

    It ends after `count` requests or `seconds`. `rate`: requests offered a second whether or not the
    answers keep up (0 = each connection as fast as it is answered). `headers`: lines of the request's head.
    """

    port: int
    path: str
    body: str
    first: int = 1
    connections: int = 16
    count: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    headers: tuple[str, ...] = ("Content-Type: application/x-www-form-urlencoded",)


@dataclass
class KeptConnection:
    """One connection: the request under way, since when it was due, and what has come of its answer."""

    socket: socket.socket
    due: float = 0.0
    answer: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes, due: float) -> None:
        """One request that was due at this moment."""
        self.due = due
        self.answer.clear()
        self.socket.sendall(request)

    def receive(self) -> int:
        """The status of a complete answer; 0 while it is not; -1 when the connection broke."""
        piece = self.socket.recv(65536)
        if not piece:
            return -1
        self.answer += piece
        head, end, rest = bytes(self.answer).partition(b"\r\n\r\n")
        return int(head[9:12]) if end and _is_whole(head.lower(), rest) else 0


def _is_whole(head: bytes, rest: bytes) -> bool:
    """Whether all of the body is here."""
    if b"transfer-encoding: chunked" in head:
        return rest.endswith(b"0\r\n\r\n")
    return len(rest) >= int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)


class LoadGenerator:
    """Keeps all connections busy and notes each answer."""

    def __init__(self, spec: LoadSpec) -> None:
        self.spec = spec
        self.selector = selectors.DefaultSelector()
        self.idle: deque[KeptConnection] = deque()
        self.sent, self.busy = 0, 0
        self.statuses: dict[int, int] = {}
        self.waits: list[float] = []
        for _ in range(spec.connections):
            self._connect()

    def run(self) -> dict[str, object]:
        """Send and read until all is answered."""
        self.began = time.perf_counter()
        while self._is_open() or self.busy:
            self._send_due()
            for key, _ in self.selector.select(self._pause()):
                self._read_answer(key.data)
        seconds = time.perf_counter() - self.began
        waits = sorted(self.waits)
        accepted = sum(count for status, count in self.statuses.items() if 200 <= status < 300)
        return {
            "seconds": seconds,
            "sent": self.sent,
            "accepted": accepted,
            "statuses": self.statuses,
            "per_second": accepted / seconds,
            **{f"p{share}": _at(waits, share) for share in (50, 95, 99)},
            "longest": waits[-1] if waits else 0.0,
        }

    def _connect(self) -> None:
        connection = KeptConnection(socket.create_connection(("127.0.0.1", self.spec.port)))
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.idle.append(connection)

    def _is_open(self) -> bool:
        if self.spec.count and self.sent >= self.spec.count:
            return False
        return not self.spec.seconds or time.perf_counter() - self.began < self.spec.seconds

    def _next_due(self) -> float:
        rate = self.spec.rate
        return self.began + self.sent / rate if rate else time.perf_counter()

    def _send_due(self) -> None:
        while self.idle and self._is_open() and (due := self._next_due()) <= time.perf_counter():
            connection = self.idle.popleft()
            body = self.spec.body.replace("{n}", str(self.spec.first + self.sent)).encode()
            first, length = f"POST {self.spec.path} HTTP/1.1", f"Content-Length: {len(body)}"
            head = "\r\n".join([first, "Host: 127.0.0.1", *self.spec.headers, length, "", ""])
            self.sent += 1
            self.busy += 1
            connection.send(head.encode() + body, due)

    def _pause(self) -> float:
        if not self._is_open() or not self.idle:
            return 0.1
        return max(0.0, min(0.1, self._next_due() - time.perf_counter()))

    def _read_answer(self, connection: KeptConnection) -> None:
        status = connection.receive()
        if status == 0:
            return
        was_busy = connection not in self.idle
        if was_busy:
            self.busy -= 1
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.waits.append(time.perf_counter() - connection.due)
        if status > 0:
            self.idle.append(connection)
            return
        self.selector.unregister(connection.socket)
        connection.socket.close()
        if not was_busy:
            self.idle.remove(connection)
        self._connect()


def _at(waits: list[float], share: int) -> float:
    return waits[min(len(waits) - 1, len(waits) * share // 100)] if waits else 0.0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(LoadGenerator(LoadSpec(**json.loads(sys.argv[1]))).run()))
