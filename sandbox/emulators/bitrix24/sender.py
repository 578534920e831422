"""The queue server that brings events from a portal to the handlers: at most once, no retries."""

import heapq
import http.client
import itertools
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.emulators.bitrix24.settings import Settings
from sandbox.emulators.bitrix24.stats import Stats

TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One form POST to one address."""

    url: str
    body: bytes


class Sender:
    """Background threads that post deliveries when their time comes; failures are forgotten."""

    def __init__(self, stats: Stats, settings: Settings) -> None:
        """Start no thread before there is something to send."""
        self._stats = stats
        self._settings = settings
        self._ready = threading.Condition()
        self._heap: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._is_stopping = False

    def put(self, delivery: Delivery, delay: float = 0.0) -> None:
        """Send in so many seconds."""
        with self._ready:
            heapq.heappush(self._heap, (time.monotonic() + delay, next(self._order), delivery))
            self._ready.notify()
            if not self._threads:
                self._is_stopping = False
                self._threads = [
                    threading.Thread(target=self._work, name="event-sender", daemon=True)
                    for _ in range(self._settings.senders)
                ]
                for thread in self._threads:
                    thread.start()

    def wait(self, seconds: float = 10.0) -> bool:
        """Wait until nothing is left to send; says whether that came about in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self._ready:
                if not self._heap and not self._busy:
                    return True
            time.sleep(0.005)
        return False

    def drop_all(self) -> None:
        """Forget what is not sent yet."""
        with self._ready:
            self._heap.clear()

    def stop(self) -> None:
        """End the threads; undelivered events are lost, as the vendor loses them."""
        with self._ready:
            self._is_stopping = True
            self._ready.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(TIMEOUT)

    def _work(self) -> None:
        while (delivery := self._next()) is not None:
            self._stats.event()
            _post(delivery)
            with self._ready:
                self._busy -= 1

    def _next(self) -> Delivery | None:
        with self._ready:
            while not self._is_stopping:
                left = self._heap[0][0] - time.monotonic() if self._heap else None
                if left is not None and left <= 0:
                    self._busy += 1
                    return heapq.heappop(self._heap)[2]
                self._ready.wait(left)
            return None


def _post(delivery: Delivery) -> None:
    parts = urlsplit(delivery.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Bitrix24 Webhook Engine"}
    try:
        connection.request("POST", target or "/", delivery.body, headers)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        # The vendor records the failure and never sends the event again.
        return
    finally:
        connection.close()
