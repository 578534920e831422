"""The status of the queue: what waits, since when, until when, and why. For people and monitors."""

from sync.status.forecast import Forecast
from sync.status.queue import JobCounts, PortalSummary, QueueStatus, RouteStatus, queue_status, status_as_json
from sync.status.text import duration, status_as_text

__all__ = [
    "Forecast",
    "JobCounts",
    "PortalSummary",
    "QueueStatus",
    "RouteStatus",
    "duration",
    "queue_status",
    "status_as_json",
    "status_as_text",
]
