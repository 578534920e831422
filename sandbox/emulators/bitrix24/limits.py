"""The two limits of the vendor: how often, and how long.

https://apidocs.bitrix24.com/limits.html
"""

import threading
from collections import deque
from collections.abc import Mapping

from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.settings import Settings

WINDOW = 600.0
MINUTE = 60.0
# Shorter calls do not count towards the operating budget.
MIN_COUNTED = 0.1


class LeakyBuckets:
    """One bucket per source address; each request adds one, each second takes some away."""

    def __init__(self, settings: Settings) -> None:
        """Read size and leak from the settings at each request, so they may change."""
        self._settings = settings
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}

    def admit(self, source: str) -> None:
        """Count one request or refuse it with 503 QUERY_LIMIT_EXCEEDED."""
        bucket = self._settings.bucket
        if bucket is None:
            return
        size, leak = bucket
        now = self._settings.clock()
        with self._lock:
            level, counted_at = self._levels.get(source, (0.0, now))
            level = max(0.0, level - (now - counted_at) * leak)
            is_full = level + 1 > size
            self._levels[source] = (level if is_full else level + 1, now)
        if is_full:
            raise ApiError("QUERY_LIMIT_EXCEEDED", "Too many requests", status=503)

    def clear(self) -> None:
        """Empty every bucket."""
        with self._lock:
            self._levels.clear()


class OperatingBudget:
    """Seconds spent per caller and method in ten one-minute buckets."""

    def __init__(self, settings: Settings) -> None:
        """Read limit and cost from the settings at each call, so they may change."""
        self._settings = settings
        self._lock = threading.Lock()
        self._spent: dict[tuple[str, str], deque[list[float]]] = {}

    def check(self, caller: str, method: str) -> None:
        """Refuse the call with 429 OPERATION_TIME_LIMIT when its method has used up its time."""
        limit = self._settings.operating_limit
        if limit is not None and self.report(caller, method)["operating"] > limit:
            raise ApiError(
                "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", status=429
            )

    def spend(self, caller: str, method: str, *, seconds: float) -> None:
        """Add one call's time."""
        cost = self._cost(method, seconds)
        if cost < MIN_COUNTED:
            return
        now = self._settings.clock()
        with self._lock:
            buckets = self._fresh(caller, method)
            if not buckets or now - buckets[-1][0] >= MINUTE:
                buckets.append([now, 0.0])
            buckets[-1][1] += cost

    def report(self, caller: str, method: str) -> dict[str, float]:
        """`operating` and `operating_reset_at`, the moment the oldest minute drops out."""
        with self._lock:
            buckets = self._fresh(caller, method)
            oldest = buckets[0][0] if buckets else self._settings.clock()
            spent = sum(seconds for _, seconds in buckets)
        return {"operating_reset_at": int(oldest + WINDOW), "operating": spent}

    def clear(self) -> None:
        """Forget all time spent."""
        with self._lock:
            self._spent.clear()

    def _cost(self, method: str, seconds: float) -> float:
        configured = self._settings.operating_seconds
        if isinstance(configured, Mapping):
            return configured.get(method, seconds)
        return seconds if configured is None else configured

    def _fresh(self, caller: str, method: str) -> deque[list[float]]:
        buckets = self._spent.setdefault((caller, method), deque())
        now = self._settings.clock()
        while buckets and now - buckets[0][0] >= WINDOW:
            buckets.popleft()
        return buckets
