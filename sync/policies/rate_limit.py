"""How fast a portal may be called: numbers in, numbers out. No clock, no database.

Two leaky buckets hold at once (GCRA, one number each: the theoretical arrival time of the next
request): ours, set by staff in requests a minute, and the vendor's, requests a second with a burst
(https://apidocs.bitrix24.com/limits.html).
"""

from dataclasses import dataclass

from sync.policies.backoff import backoff

SLACK = 0.25
"""Seconds a request may be late without losing its place: a worker is woken 0.1-0.2 s late."""

ON_THE_WAY = 0.25
"""Seconds a request may spend between its permit and the portal; one that is later is counted once more."""

BREAKER_OPENS_AFTER = 5
"""Failures in a row before we stop calling a portal."""

MIN_PROBE_WAIT, MAX_PROBE_WAIT = 5.0, 300.0
"""Seconds between probes of a portal that is away: doubles from the first to the longest."""

MAX_SHRUNK = 6
"""A parcel is halved at most this often: 50 jobs become 1."""

GROWS_AFTER = 3
"""Requests in a row that pass before a halved parcel doubles again."""


@dataclass(frozen=True)
class Limits:
    """What a portal allows: requests a minute with a burst, and the vendor's bucket."""

    per_minute: int
    burst: int = 1
    bucket_size: int = 50
    bucket_leak: float = 2.0

    @property
    def interval(self) -> float:
        """Seconds between requests so that no sliding minute ever holds more than `per_minute`."""
        return (60 + SLACK + ON_THE_WAY) / max(1, self.per_minute - self.usable_burst + 1)

    @property
    def usable_burst(self) -> int:
        """The burst, never more than half a minute's requests: the rest must stay evenly spread."""
        return max(1, min(self.burst, (self.per_minute + 1) // 2))

    @property
    def tolerance(self) -> float:
        """How many seconds before its theoretical time a request may go."""
        return (self.usable_burst - 1) * self.interval + SLACK

    @property
    def bucket_interval(self) -> float:
        """Seconds in which the vendor's bucket loses one request."""
        return 1 / self.bucket_leak if self.bucket_leak > 0 else 0.0

    @property
    def bucket_tolerance(self) -> float:
        """Seconds by which the vendor's bucket may be ahead; two requests stay free for others."""
        return max(0, self.bucket_size - 3) * self.bucket_interval


@dataclass(frozen=True)
class Permit:
    """The answer to "may I call?".

    `wait` is seconds until it makes sense to ask again (0 when granted). A probe carries one job.
    `shrunk`: how often the parcel must be halved.
    """

    is_granted: bool
    wait: float = 0.0
    is_probe: bool = False
    shrunk: int = 0

    def size(self, most: int) -> int:
        """How many jobs this request may hold when the step could hold `most`."""
        return 1 if self.is_probe else max(1, most >> self.shrunk)


def seconds_until_free(now: float, tat: float, tolerance: float) -> float:
    """Seconds until a bucket whose theoretical arrival time is `tat` admits a request."""
    return max(0.0, tat - tolerance - now)


def probe_wait(failures: int) -> float:
    """Seconds until the next probe after `failures` failures in a row."""
    probes = max(0, failures - BREAKER_OPENS_AFTER)
    return backoff(probes + 1, first=MIN_PROBE_WAIT, longest=MAX_PROBE_WAIT)
