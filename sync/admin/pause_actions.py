"""Pause and resume: the same two actions for portals and routes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.screen import Screen


class PausableScreen(Screen):
    """A screen for records with `is_paused`."""

    def wake(self, record: Any) -> None:
        """Queue a wake-up for a record that was resumed; by default none is needed."""

    def is_applicable(self, button: str, record: Any) -> bool:
        """Pause for what is not paused, Resume for what is."""
        return bool({"pause": not record.is_paused, "resume": record.is_paused}.get(button, True))

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Send nothing until the record is resumed."""
        rows = list(queryset.filter(is_paused=False))
        queryset.filter(is_paused=False).update(is_paused=True)
        self.log_many(request, rows, gettext("Pause"))
        self.message_user(
            request, gettext("Paused: nothing is sent; what arrives is kept."), messages.SUCCESS
        )

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Go on with the jobs that wait."""
        rows = list(queryset.filter(is_paused=True))
        queryset.filter(is_paused=True).update(is_paused=False)
        for record in rows:
            self.wake(record)
        self.log_many(request, rows, gettext("Resume"))
        self.message_user(request, gettext("Resumed: what has gathered goes out now."), messages.SUCCESS)
