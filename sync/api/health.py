"""Is the process alive; is the service ready for work?"""

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from django_q.models import OrmQ

from sync.models import Heartbeat, Job


def healthz(_: HttpRequest) -> JsonResponse:
    """The process lives. Asks nobody else, so that a dead database does not restart the web."""
    return JsonResponse({"status": "ok"})


def readyz(_: HttpRequest) -> JsonResponse:
    """Database, queue, workers, a consumer where RabbitMQ is used: 200 with all, 503 with what is missing."""
    checks = {"database": "ok", "queue": "ok", "workers": "ok"}
    if settings.RABBITMQ_URL:
        checks["consumer"] = "ok"
    try:
        Job.objects.order_by().values("pk").first()
        OrmQ.objects.order_by().values("pk").first()
        is_somebody_alive = Heartbeat.alive().exists()
        is_deaf = settings.RABBITMQ_URL and not Heartbeat.consumers().exists()
    except (DatabaseError, InterfaceError):
        checks = dict.fromkeys(checks, "unknown") | {"database": "away"}
    else:
        if not is_somebody_alive:
            checks["workers"] = "none seen lately"
        if is_deaf:
            checks["consumer"] = "none seen lately"
    is_ready = set(checks.values()) == {"ok"}
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks}, status=200 if is_ready else 503
    )
