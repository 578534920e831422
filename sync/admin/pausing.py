"""Pausing and resuming: the same two buttons for portals and routes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.screen import Screen


class PausingScreen(Screen):
    """A screen of what has `is_paused`; `wake` has a worker look at a record that goes on."""

    def wake(self, record: Any) -> None:
        """Somebody looks at what has gathered; nobody needs to where nothing gathers."""

    def fits(self, button: str, record: Any) -> bool:
        """Pause what runs, resume what is paused."""
        return bool({"pause": not record.is_paused, "resume": record.is_paused}.get(button, True))

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Nothing is sent until it is resumed."""
        rows = list(queryset.filter(is_paused=False))
        queryset.filter(is_paused=False).update(is_paused=True)
        self.log_many(request, rows, gettext("Pause"))
        self.message_user(
            request, gettext("Paused: nothing is sent; what arrives is kept."), messages.SUCCESS
        )

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """What has gathered goes out."""
        rows = list(queryset.filter(is_paused=True))
        queryset.filter(is_paused=True).update(is_paused=False)
        for record in rows:
            self.wake(record)
        self.log_many(request, rows, gettext("Resume"))
        self.message_user(request, gettext("Resumed: what has gathered goes out now."), messages.SUCCESS)
