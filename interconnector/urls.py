"""The addresses of the API and the admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("sync.api.urls")),
    path("admin/", admin.site.urls),
]
