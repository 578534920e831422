"""Is the process alive; is the service ready for work?"""

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from django_q.models import OrmQ

from sync.models import Heartbeat, Job


def healthz(_: HttpRequest) -> JsonResponse:
    """Say that the process is alive. It needs no database, so that an outage does not restart the web."""
    return JsonResponse({"status": "ok"})


def readyz(_: HttpRequest) -> JsonResponse:
    """Check database, queue, workers, and a consumer where RabbitMQ is used: 200, or 503 if one lacks."""
    checks = {"database": "ok", "queue": "ok", "workers": "ok"}
    if settings.RABBITMQ_URL:
        checks["consumer"] = "ok"
    try:
        Job.objects.order_by().values("pk").first()
        OrmQ.objects.order_by().values("pk").first()
        has_workers = Heartbeat.alive().exists()
        lacks_consumer = settings.RABBITMQ_URL and not Heartbeat.consumers().exists()
    except (DatabaseError, InterfaceError):
        checks = dict.fromkeys(checks, "unknown") | {"database": "away"}
    else:
        if not has_workers:
            checks["workers"] = "none seen lately"
        if lacks_consumer:
            checks["consumer"] = "none seen lately"
    is_ready = set(checks.values()) == {"ok"}
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks}, status=200 if is_ready else 503
    )
