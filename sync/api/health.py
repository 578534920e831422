"""Is the process alive; is the service ready for work?"""

from datetime import timedelta

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django_q.models import OrmQ

from sync.models import Heartbeat, Job

WORKERS_SEEN_SECONDS = 150
"""A worker sweeps every minute; two and a half without a sign means that none runs."""


def healthz(_: HttpRequest) -> JsonResponse:
    """The process lives. Asks nobody else, so that a dead database does not restart the web."""
    return JsonResponse({"status": "ok"})


def readyz(_: HttpRequest) -> JsonResponse:
    """Database, queue and workers: 200 when all are there, 503 with what is missing."""
    checks = {"database": "ok", "queue": "ok", "workers": "ok"}
    try:
        Job.objects.order_by().values("pk").first()
        OrmQ.objects.order_by().values("pk").first()
        seen = Heartbeat.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    except (DatabaseError, InterfaceError):
        checks = dict.fromkeys(checks, "unknown") | {"database": "away"}
    else:
        if seen is None or seen < timezone.now() - timedelta(seconds=WORKERS_SEEN_SECONDS):
            checks["workers"] = "none seen lately"
    is_ready = set(checks.values()) == {"ok"}
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks}, status=200 if is_ready else 503
    )
