"""When to try again: data and pure decisions. No clock, no database."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon: seconds `first`, times `factor` each, up to `longest`, ± `jitter`."""

    most: int = 10
    first: float = 2.0
    factor: float = 2.0
    longest: float = 900.0
    jitter: float = 0.1

    def wait(self, attempts: int) -> float | None:
        """Seconds to wait after `attempts` failed attempts; None when there were enough."""
        if attempts >= self.most:
            return None
        seconds = min(self.first * self.factor ** max(0, attempts - 1), self.longest)
        # spread, or a thousand jobs that failed together come back together
        return seconds * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311
