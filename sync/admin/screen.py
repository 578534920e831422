"""What all our screens share: fast lists, and actions that are also buttons on a record's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.contrib.admin.utils import model_format_dict, quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext

from sync.admin.paginator import CappedPaginator

MAX_LOGGED = 100
"""Up to so many records of one action get a log entry each; more of them share one."""


class Screen(admin.ModelAdmin):  # type: ignore[type-arg]  # generic only for mypy
    """A list without sorting by click and without full counts: both would read the whole table."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    sortable_by = ()
    empty_value_display = "—"
    change_form_template = "admin/sync/change_form.html"
    buttons: tuple[str, ...] = ()
    """Names of the actions that are also buttons on a record's page."""

    empty_hint: Any = ""
    """The text of an empty list: how rows are made."""

    class Media:
        css = {"all": ("sync/admin.css",)}
        js = ("sync/cards.js",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; Django's own title has the wrong grammatical case in Russian."""
        words = {"title": capfirst(self.opts.verbose_name_plural), "empty_hint": self.empty_hint}
        return super().changelist_view(request, words | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        """The screen's addresses, and that of the buttons on a record's page."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_run"
        view = self.admin_site.admin_view(self.run_button)
        return [path("<path:object_id>/run/<slug:action>/", view, name=name), *super().get_urls()]

    def run_button(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Run one action on one record; the same rights and the same code as in the list."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        record = self.get_object(request, unquote(object_id))
        if record is None:
            raise Http404
        allowed = self._allowed(request) if self.has_view_permission(request, record) else {}
        if action not in allowed:
            raise PermissionDenied
        chosen = self.model._default_manager.filter(pk=record.pk)
        if answer := allowed[action][0](self, request, chosen):  # a page that asks for confirmation
            return answer  # type: ignore[no-any-return]
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(record.pk)])
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The record's page with the buttons that apply to its state."""
        record = kwargs.get("obj")
        context["buttons"] = self._buttons(request, record) if record else []
        return super().render_change_form(request, context, *args, **kwargs)

    def is_applicable(self, button: str, record: Any) -> bool:
        """Whether pressing the button would change anything."""
        return True

    def _buttons(self, request: HttpRequest, record: Model) -> list[dict[str, str]]:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_run"
        return [
            {
                "name": button,
                "label": str(label) % model_format_dict(self.opts),
                "url": reverse(name, args=[quote(record.pk), button]),
            }
            for button, (_run, _name, label) in self._allowed(request).items()
            if self.is_applicable(button, record)
        ]

    def _allowed(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        """The buttons that the user may press: name → function, name and label."""
        actions = self.get_actions(request)
        return {name: action for name in self.buttons if (action := actions.get(name))}

    def log_many(self, request: HttpRequest, rows: list[Any], what: str) -> None:
        """Log who did `what`: an entry a record, or one for all when there are many."""
        for row in rows if len(rows) <= MAX_LOGGED else []:
            self.log_change(request, row, what)
        if len(rows) > MAX_LOGGED:
            LogEntry.objects.create(
                user_id=str(request.user.pk),
                content_type=get_content_type_for_model(self.model),
                object_repr=gettext("many %(name)s") % {"name": self.opts.verbose_name_plural},
                action_flag=CHANGE,
                change_message=what,
            )


class ReadOnly:
    """Nobody adds, changes or deletes these rows by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False
