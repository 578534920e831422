"""A clock that stands still until somebody sleeps by it."""

from __future__ import annotations

import time

from sync.policies.clock import Clock


class ManualClock(Clock):
    """Begins at the real time; only `sleep` moves it on, and at once."""

    def __init__(self) -> None:
        self.time = time.time()
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
