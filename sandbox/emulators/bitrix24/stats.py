"""Counters that tests and benchmarks read."""

import threading
import time
from bisect import bisect_left
from collections import Counter
from typing import Any


class Stats:
    """What reached the portal and how fast; times are monotonic seconds of arrival."""

    def __init__(self) -> None:
        """Start from zero."""
        self._lock = threading.Lock()
        self._in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything counted so far."""
        with self._lock:
            self.arrivals: list[float] = []
            self.calls: Counter[str] = Counter()
            self.by_path: Counter[str] = Counter()
            self.limit_errors = 0
            self.events_fired = 0
            self.in_flight_max = self._in_flight

    def arrive(self, path: str) -> None:
        """One REST request came in."""
        with self._lock:
            self.arrivals.append(time.monotonic())
            self.by_path[path] += 1
            self._in_flight += 1
            self.in_flight_max = max(self.in_flight_max, self._in_flight)

    def leave(self) -> None:
        """One REST request is over."""
        with self._lock:
            self._in_flight -= 1

    def call(self, method: str) -> None:
        """One method was executed, alone or in a batch."""
        with self._lock:
            self.calls[method] += 1

    def limit(self) -> None:
        """One call was refused by a limit."""
        with self._lock:
            self.limit_errors += 1

    def event(self) -> None:
        """One event was sent to a handler."""
        with self._lock:
            self.events_fired += 1

    def max_in_window(self, seconds: float = 60.0) -> int:
        """The most requests that arrived within any window of this length."""
        with self._lock:
            arrivals = sorted(self.arrivals)
        return max(
            (index + 1 - bisect_left(arrivals, moment - seconds) for index, moment in enumerate(arrivals)),
            default=0,
        )

    def snapshot(self) -> dict[str, Any]:
        """The counters as `/emulator/stats` gives them."""
        with self._lock:
            counters: dict[str, Any] = {
                "requests": len(self.arrivals),
                "calls": dict(self.calls),
                "requests_by_path": dict(self.by_path),
                "limit_errors": self.limit_errors,
                "events_fired": self.events_fired,
                "in_flight_max": self.in_flight_max,
            }
        return counters | {"max_in_sliding_minute": self.max_in_window()}
