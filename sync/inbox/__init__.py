"""The only way work enters: an event is stored, then sorted into jobs."""

from sync.inbox.dispatch import EVENTS_AT_ONCE, sort
from sync.inbox.jobs import queue
from sync.inbox.receive import fingerprint_of, receive, receive_many

__all__ = ["EVENTS_AT_ONCE", "fingerprint_of", "queue", "receive", "receive_many", "sort"]
