"""How the queue stands: what waits, since when, until when, and what keeps it. For people and monitors."""

from sync.status.forecast import Forecast
from sync.status.queue import JobCounts, PortalSummary, QueueStatus, RouteStatus, as_json, queue_status
from sync.status.text import as_text, duration

__all__ = [
    "Forecast",
    "JobCounts",
    "PortalSummary",
    "QueueStatus",
    "RouteStatus",
    "as_json",
    "as_text",
    "duration",
    "queue_status",
]
