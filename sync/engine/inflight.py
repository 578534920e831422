"""The requests that one worker has under way to one portal, each in a thread of its own.

Threads send and wait, nothing else: the database belongs to the worker's own thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from sync.models import Portal, Slot
from sync.policies.clock import Clock

Answer = TypeVar("Answer")


class InFlight(Generic[Answer]):
    """Requests under way, each in a slot of the portal that this worker holds."""

    def __init__(self, portal: Portal, holder: str, *, max_requests: int, clock: Clock) -> None:
        self._portal, self._holder, self._max_requests = portal, holder, max_requests
        self._clock = clock
        self._threads = ThreadPoolExecutor(max_workers=max_requests, thread_name_prefix="request")
        self._free: list[Slot] = []
        self._sent: dict[Future[Answer], Slot] = {}
        self._awaited: Future[Answer] | None = None

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def is_full(self) -> bool:
        """Whether this worker sends no more beside these."""
        return len(self._sent) >= self._max_requests

    def take_slot(self) -> bool:
        """Have a free slot for one more request; False when this worker or the portal is full, or the rest
        has to wait for what one request finds out.
        """
        if self.is_full or self._awaited in self._sent:
            return False
        if not self._free and (slot := Slot.take(self._portal, self._holder, now=self._clock.now())):
            self._free.append(slot)
        return bool(self._free)

    def send(self, work: Callable[[], Answer], *, blocks_others: bool = False) -> None:
        """Have `work` done in a thread, in the slot that was taken.

        `blocks_others`: nothing else is sent until it is answered.
        """
        slot = self._free.pop()
        slot.keep(until=self._clock.now() + self._portal.lease_seconds)
        sent = self._threads.submit(work)
        self._sent[sent] = slot
        if blocks_others:
            self._awaited = sent

    def wait(self, seconds: float) -> list[Answer]:
        """What has been answered, at the latest after so many seconds; nothing when nothing was."""
        if not self._sent:
            self._clock.sleep(seconds)
        ended = wait(self._sent, seconds, FIRST_COMPLETED).done
        self._free += [self._sent.pop(one) for one in ended]
        return [one.result() for one in ended]

    def end(self) -> None:
        """Give the slots back; after a failure of ours, one with a request under way when its lease ends."""
        self._threads.shutdown(wait=False)
        for slot in self._free:
            slot.release()
