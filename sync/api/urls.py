"""Addresses of the HTTP edge."""

from django.conf import settings
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from sync.api import openapi  # noqa: F401  # drf-spectacular finds extensions that are imported
from sync.api.health import healthz, readyz
from sync.api.metrics import metrics
from sync.api.users.views import UserViewSet
from sync.api.webhooks import Inbound

SOURCE, RECEIVER = {"slug": settings.ORIGINAL_SOURCE}, {"slug": settings.ORIGINAL_RECEIVER}
inbound = Inbound.as_view()
docs = SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api/docs.html")
users = UserViewSet.as_view({"get": "list", "post": "create"})
one_user = UserViewSet.as_view({"get": "read", "patch": "change"})
move = UserViewSet.as_view({"post": "move"})

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
    # any text is an ID here, for the same reason
    path("users", users, name="users"),
    path("users/", users),
    path("users/<str:id>", one_user, name="user"),
    path("users/<str:id>/", one_user),
    path("users/<str:id>/move", move, name="move"),
    path("users/<str:id>/move/", move),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", docs, name="docs"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
