"""Addresses of the HTTP edge."""

from django.conf import settings
from django.urls import path

from sync.api.health import healthz, readyz
from sync.api.views import Inbound

SOURCE, RECEIVER = {"slug": settings.ORIGINAL_SOURCE}, {"slug": settings.ORIGINAL_RECEIVER}
inbound = Inbound.as_view()

urlpatterns = [
    # any text is a slug here, so that a wrong one is answered by the view: in JSON, with what to do
    path("inbound/from-<str:slug>", inbound, name="inbound"),
    path("inbound/from-<str:slug>/", inbound),
    path("inbound/from-<str:slug>/<str:token>", inbound),
    path("inbound/from-<str:slug>/<str:token>/", inbound),
    # the running original's addresses, which existing robots call
    path("webhooks/source/onDealCreate", inbound, SOURCE),
    path("webhooks/source/onDealCreate/", inbound, SOURCE),
    path("webhooks/source/onDealCreate/<str:token>", inbound, SOURCE),
    path("webhooks/source/onDealCreate/<str:token>/", inbound, SOURCE),
    path("webhooks/receiver/onDealUpdate", inbound, RECEIVER),
    path("webhooks/receiver/onDealUpdate/", inbound, RECEIVER),
    path("webhooks/receiver/onDealUpdate/<str:token>", inbound, RECEIVER),
    path("webhooks/receiver/onDealUpdate/<str:token>/", inbound, RECEIVER),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
