"""django-q2's screens: its tasks are only wake-ups and stay hidden; schedules are for superusers.

A schedule names a function to call. Free text would be a way to run anything, so the function is chosen
from a list, and its arguments must be plain literals.
"""

from __future__ import annotations

import ast
from typing import Any

import django_q.admin  # noqa: F401  # it registers its screens when imported, so that we can take them off
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success

from sync.admin.screen import Screen

TASKS: dict[str, Any] = {
    "sync.tasks.sweep": _("Repair: return jobs of dead workers, wake workers where work waits"),
    "sync.tasks.prune": _("Delete old history"),
    "sync.tasks.sync_directories": _("Read the directories"),
    "sync.tasks.drain": _("Look at one portal (argument: its number)"),
}
"""What a schedule may call."""

for screen in (Success, Failure, OrmQ, Schedule):
    admin.site.unregister(screen)


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A schedule of one of our tasks."""

    func = forms.ChoiceField(label=_("Task"))

    class Meta:
        model = Schedule
        fields = ("name", "func", "args", "schedule_type", "minutes", "cron", "repeats", "next_run")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["func"].choices = list(TASKS.items())  # type: ignore[attr-defined]
        self.fields["args"].help_text = _("Numbers or quoted texts, separated by commas.")

    def clean_args(self) -> str | None:
        """Plain literals: numbers, texts, lists of them."""
        text = (self.cleaned_data["args"] or "").strip()
        if not text:
            return None
        try:
            ast.literal_eval(f"({text},)")
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise ValidationError(gettext("Only numbers and quoted texts, separated by commas.")) from error
        return text


@admin.register(Schedule)
class ScheduleAdmin(Screen):
    """Schedules, for superusers."""

    form = ScheduleForm
    list_display = ("name", "what", "schedule_type", "next_run")
    list_display_links = ("name",)

    @admin.display(description=_("Task"))
    def what(self, schedule: Schedule) -> str:
        """What the schedule does, in words."""
        return str(TASKS.get(schedule.func, schedule.func))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
