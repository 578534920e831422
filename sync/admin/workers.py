"""Workers: which clusters are alive."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from sync.admin.labels import badge
from sync.admin.moments import ago
from sync.admin.next_step import is_silent
from sync.admin.screen import ReadOnly, Screen
from sync.models import Heartbeat


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly, Screen):
    """One row a worker cluster."""

    list_display = ("name", "seen", "life")
    empty_hint = _("No worker has run yet. Start one: `manage.py qcluster`, or the service that runs it.")
    fields = readonly_fields = ("name", "seen_at", "life")

    @admin.display(description=_("last seen"))
    def seen(self, worker: Heartbeat) -> SafeString | str:
        """How long ago the worker's last heartbeat was."""
        return ago(worker.seen_at)

    @admin.display(description=_("state"))
    def life(self, worker: Heartbeat) -> SafeString:
        """Whether the worker is alive."""
        return badge("failed", _("silent")) if is_silent(worker) else badge("done", _("works"))
