"""Addresses of the HTTP edge."""

from django.conf import settings
from django.urls import path

from sync.api.health import healthz, readyz
from sync.api.views import Inbound

urlpatterns = [
    path("inbound/from-<slug:slug>", Inbound.as_view(), name="inbound"),
    path("inbound/from-<slug:slug>/", Inbound.as_view()),
    path("inbound/from-<slug:slug>/<str:token>", Inbound.as_view()),
    # the running original's addresses, which existing robots call
    path("webhooks/source/onDealCreate/<str:token>", Inbound.as_view(), {"slug": settings.ORIGINAL_SOURCE}),
    path(
        "webhooks/receiver/onDealUpdate/<str:token>", Inbound.as_view(), {"slug": settings.ORIGINAL_RECEIVER}
    ),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
