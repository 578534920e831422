"""Method budgets: vendor methods that a portal lets us call again only later."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from sync.admin.moments import ago
from sync.admin.screen import ReadOnly, Screen
from sync.models import MethodBudget


@admin.register(MethodBudget)
class MethodBudgetAdmin(ReadOnly, Screen):
    """One row a method whose time budget was spent."""

    list_display = ("method", "portal", "free")
    list_select_related = ("portal",)
    empty_hint = _("Nothing here: no portal has limited the time of a method.")
    fields = readonly_fields = ("portal", "method", "free")
    ordering = ("-blocked_until",)

    @admin.display(description=_("free again"))
    def free(self, budget: MethodBudget) -> SafeString | str:
        """When it may be called again."""
        return ago(datetime.fromtimestamp(budget.blocked_until, tz=timezone.get_default_timezone()))
