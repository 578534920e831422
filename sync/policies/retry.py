"""When to try again: data and pure decisions. No clock, no database."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon: seconds `first`, times `factor` each, up to `longest`, ± `jitter`.

    `most` tries where the trouble may be the job's own; `most_away` where the portal as a whole was in
    trouble (an answer lost on the way, a page instead of an answer): that is not the job's fault, but a
    record that itself breaks the portal must end some day, too.
    """

    most: int = 10
    most_away: int = 10
    first: float = 2.0
    factor: float = 2.0
    longest: float = 900.0
    jitter: float = 0.1

    def wait(self, attempts: int, *, is_away: bool = False) -> float | None:
        """Seconds to wait after `attempts` failed attempts; None when there were enough."""
        if attempts >= (self.most_away if is_away else self.most):
            return None
        seconds = min(self.first * self.factor ** max(0, attempts - 1), self.longest)
        # spread, or a thousand jobs that failed together come back together
        return seconds * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311
