"""`/metrics`: what Prometheus reads."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from sync.models import Heartbeat, Job, Pace, Portal, Route


@pytest.fixture
def route(db: None) -> Route:
    """A route of deals from portal a to portal b."""
    source, target = (Portal.objects.create(slug=slug, inbound_token="secret0") for slug in ("a", "b"))
    return Route.objects.create(slug="a-b", source=source, target=target)


def lines(client: Client) -> list[str]:
    """The lines of `/metrics`."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.content.decode().splitlines()


def test_figures_of_the_queue(client: Client, route: Route, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = False
    for number, (state, failure) in enumerate([("waiting", ""), ("failed", "config"), ("failed", "config")]):
        Job.objects.create(
            route=route, portal=route.source, kind="deal", source_id=str(number), lane=str(number),
            step="fetch", state=state, failure=failure, due_at=timezone.now(),
        )  # fmt: skip
    Heartbeat.objects.create(name="w:1", seen_at=timezone.now())
    shown = lines(client)
    assert 'interconnector_jobs{route="a-b",state="failed"} 2.0' in shown
    assert 'interconnector_jobs{route="a-b",state="waiting"} 1.0' in shown
    assert 'interconnector_failed_jobs{failure="config",route="a-b"} 2.0' in shown
    assert 'interconnector_portal_answers{portal="b"} 1.0' in shown
    assert "interconnector_workers 1.0" in shown
    assert not [line for line in shown if "secret0" in line]
    names = [line.split("{")[0].split(" ")[0] for line in shown if not line.startswith("#")]
    assert set(names) == {line.split(" ")[2] for line in shown if line.startswith("# TYPE")}


def test_a_forecast_nobody_can_make_is_nan(client: Client, route: Route, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = False
    Job.objects.create(
        route=route, portal=route.source, kind="deal", source_id="1", lane="1", step="fetch", state="waiting"
    )
    Pace.of(route.source)
    Pace.objects.update(failures=9, away_until=time.time() + 60)
    shown = lines(client)
    assert 'interconnector_eta_seconds{route="a-b"} NaN' in shown
    assert 'interconnector_portal_answers{portal="a"} 0.0' in shown


def test_no_figures_without_a_database(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECURE_SSL_REDIRECT = False

    def away() -> None:
        raise DatabaseError

    monkeypatch.setattr("sync.api.metrics.queue_status", away)
    assert client.get("/metrics").status_code == 503
