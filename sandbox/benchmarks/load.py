"""A load of webhooks over kept-alive connections, from a process of its own.

Run as a program with its orders as JSON (the fields of `Orders`); prints what came of them. One thread and
raw sockets: a request costs it 60 µs, so that on a shared machine it takes little from the server.
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
class Orders:
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
class Line:
    """One connection: the request under way, since when it was due, and what has come of its answer."""

    socket: socket.socket
    due: float = 0.0
    answer: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes, due: float) -> None:
        """One request that was due at this moment."""
        self.due = due
        self.answer.clear()
        self.socket.sendall(request)

    def hear(self) -> int:
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


class Load:
    """Keeps all connections busy and notes each answer."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.eyes = selectors.DefaultSelector()
        self.idle: deque[Line] = deque()
        self.sent, self.busy = 0, 0
        self.statuses: dict[int, int] = {}
        self.waits: list[float] = []
        for _ in range(orders.connections):
            self._connect()

    def run(self) -> dict[str, object]:
        """Send and hear until all is answered."""
        self.began = time.perf_counter()
        while self._is_open() or self.busy:
            self._send_due()
            for key, _ in self.eyes.select(self._pause()):
                self._hear(key.data)
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
        line = Line(socket.create_connection(("127.0.0.1", self.orders.port)))
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.eyes.register(line.socket, selectors.EVENT_READ, line)
        self.idle.append(line)

    def _is_open(self) -> bool:
        if self.orders.count and self.sent >= self.orders.count:
            return False
        return not self.orders.seconds or time.perf_counter() - self.began < self.orders.seconds

    def _next_due(self) -> float:
        rate = self.orders.rate
        return self.began + self.sent / rate if rate else time.perf_counter()

    def _send_due(self) -> None:
        while self.idle and self._is_open() and (due := self._next_due()) <= time.perf_counter():
            line = self.idle.popleft()
            body = self.orders.body.replace("{n}", str(self.orders.first + self.sent)).encode()
            first, length = f"POST {self.orders.path} HTTP/1.1", f"Content-Length: {len(body)}"
            head = "\r\n".join([first, "Host: 127.0.0.1", *self.orders.headers, length, "", ""])
            self.sent += 1
            self.busy += 1
            line.send(head.encode() + body, due)

    def _pause(self) -> float:
        if not self._is_open() or not self.idle:
            return 0.1
        return max(0.0, min(0.1, self._next_due() - time.perf_counter()))

    def _hear(self, line: Line) -> None:
        status = line.hear()
        if status == 0:
            return
        was_busy = line not in self.idle
        if was_busy:
            self.busy -= 1
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.waits.append(time.perf_counter() - line.due)
        if status > 0:
            self.idle.append(line)
            return
        self.eyes.unregister(line.socket)
        line.socket.close()
        if not was_busy:
            self.idle.remove(line)
        self._connect()


def _at(waits: list[float], share: int) -> float:
    return waits[min(len(waits) - 1, len(waits) * share // 100)] if waits else 0.0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(Load(Orders(**json.loads(sys.argv[1]))).run()))
