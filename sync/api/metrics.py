"""`/metrics`: the queue's status for Prometheus.

https://prometheus.io/docs/instrumenting/writing_exporters/
Numbers and slugs only: no secret, no record. The proxy decides who may read it (deploy/nginx).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sync.models import Heartbeat
from sync.status import QueueStatus, queue_status

UNKNOWN = float("nan")

Sample = tuple[dict[str, str], float]


class _Figures(Collector):
    """Figures that were counted for this request."""

    def __init__(self, gauges: Iterable[GaugeMetricFamily]) -> None:
        self.gauges = list(gauges)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self.gauges


def metrics(_: HttpRequest) -> HttpResponse:
    """All gauges; 503 when the database is away, which Prometheus shows as `up 0`."""
    try:
        figures = _Figures(_gauges(queue_status()))
    except (DatabaseError, InterfaceError):
        return HttpResponse("# the database is away\n", content_type="text/plain", status=503)
    return HttpResponse(generate_latest(figures), content_type=CONTENT_TYPE_LATEST)


def _gauges(status: QueueStatus) -> Iterator[GaugeMetricFamily]:
    routes, portals = status.routes, status.portals
    jobs = [
        ({"route": one.slug, "state": state}, count)
        for one in routes
        for state, count in one.counts.jobs.items()
    ]
    failed = [
        ({"route": one.slug, "failure": word}, count)
        for one in routes
        for word, count in one.counts.failures.items()
    ]
    oldest = [({"route": one.slug}, one.counts.oldest) for one in routes]
    forecasts = [({"route": one.slug}, _known(one.forecast.seconds)) for one in routes]
    answers = [({"portal": one.slug}, float(one.state == "answers")) for one in portals]
    left = [({"portal": one.slug}, one.requests_left) for one in portals]
    yield _gauge("jobs", "Jobs by route and state.", jobs)
    yield _gauge("failed_jobs", "Failed jobs by route and by who acts.", failed)
    yield _gauge("oldest_waiting_seconds", "How long the oldest waiting job has waited.", oldest)
    yield _gauge("eta_seconds", "When nothing is left; NaN when nobody can say.", forecasts)
    yield _gauge("portal_answers", "1 when the portal answers, 0 when it is away or paused.", answers)
    yield _gauge("portal_requests_left", "Requests the waiting jobs still need.", left)
    unsorted: list[Sample] = [({}, status.counts.unsorted)]
    yield _gauge("unsorted_webhooks", "Stored webhooks no worker has looked at.", unsorted)
    yield _gauge("unsent_messages", "Messages about leads that wait to be sent.", [({}, status.unsent)])
    yield _gauge("workers", "Worker clusters seen lately.", [({}, Heartbeat.alive().count())])


def _gauge(name: str, meaning: str, samples: Iterable[Sample]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"interconnector_{name}", meaning)
    for labels, value in samples:
        gauge.add_sample(gauge.name, labels, value)
    return gauge


def _known(seconds: float | None) -> float:
    return UNKNOWN if seconds is None else seconds
