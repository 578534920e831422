"""The admin site: its name and the order of its menu.

It is outside the package `admin`: screens register themselves on the site, so it must exist before them.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MENU = (
    "Job",
    "Event",
    "CoreUser",
    "Message",
    "Link",
    "Route",
    "Directory",
    "DirectoryRun",
    "Portal",
    "ApiKey",
    "Heartbeat",
    "MethodBudget",
)
"""Our screens in the order in which staff need them."""


class InterconnectorSite(AdminSite):
    """Django's admin under our name."""

    site_header = "B24 Interconnector"
    site_title = "B24 Interconnector"
    index_title = _("Overview")
    site_url = None  # there is no other page to look at
    enable_nav_sidebar = False  # the lists need the width; the menu is one click away

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Our application first, in the order of MENU, then the others as Django sorts them."""
        apps: list[Any] = super().get_app_list(request, app_label)
        for app in apps:
            if app["app_label"] == "sync":
                app["models"].sort(key=lambda model: _rank(model["object_name"]))
            if app["app_label"] == "django_q":
                app["name"] = gettext("Schedule")  # the library's name says nothing to staff
        return sorted(apps, key=lambda app: app["app_label"] != "sync")


def _rank(name: str) -> int:
    return MENU.index(name) if name in MENU else len(MENU)
