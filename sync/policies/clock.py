"""The time as the engine asks for it, so that a test can give it another."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The machine's time."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def moment(self) -> datetime:
        """The same as an aware datetime."""
        return datetime.fromtimestamp(self.now(), tz=UTC)

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(seconds)


SYSTEM_CLOCK = Clock()
