"""Messages over RabbitMQ: which were sent, which wait, and why; read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.filters import Choices
from sync.admin.labels import badge_of, safe, safe_pairs
from sync.admin.moments import ago, exact
from sync.admin.screen import ReadOnly, Screen
from sync.models import Message, OutboxLease


class SentFilter(admin.SimpleListFilter):
    """Messages that wait, or those that were sent."""

    title = _("sent")
    parameter_name = "sent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The two choices."""
        return [("no", _("waits to be sent")), ("yes", _("sent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """The messages of the chosen state."""
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(sent_at__isnull=self.value() == "no")


@admin.register(Message)
class MessageAdmin(ReadOnly, Screen):
    """One row a message; the newest first."""

    list_display = ("pattern", "user", "queue", "state", "created", "sent")
    list_filter = (SentFilter,)
    empty_hint = _("No message yet: each request about a lead and each answer to it is one.")
    fields = ("pattern", "queue", "uuid", "state", "created_text", "sent_text", "content")
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, and above it the reason when messages cannot be sent."""
        lease = OutboxLease.objects.filter(failures__gt=0).first()
        if lease and Message.unsent().exists():
            words = {"trouble": safe(lease.trouble), "count": lease.failures}
            text = gettext("Messages cannot be sent: %(trouble)s (tries in a row: %(count)s)") % words
            messages.warning(request, text)
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("user"))
    def user(self, message: Message) -> str:
        """The users API's ID of the user that the message is about."""
        user = message.data.get("user") if isinstance(message.data, dict) else None
        return str(user.get("id", "—")) if isinstance(user, dict) else "—"

    @admin.display(description=_("state"))
    def state(self, message: Message) -> SafeString:
        """Whether the message was sent."""
        return badge_of("good", gettext("sent")) if message.sent_at else badge_of("wait", gettext("waits"))

    @admin.display(description=_("created"))
    def created(self, message: Message) -> SafeString | str:
        """How long ago the message was stored."""
        return ago(message.created_at)

    @admin.display(description=_("sent"))
    def sent(self, message: Message) -> SafeString | str:
        """How long ago RabbitMQ confirmed the message."""
        return ago(message.sent_at)

    @admin.display(description=_("created"))
    def created_text(self, message: Message) -> str:
        """When the message was stored, exactly."""
        return exact(message.created_at)

    @admin.display(description=_("sent"))
    def sent_text(self, message: Message) -> str:
        """When RabbitMQ confirmed the message, exactly."""
        return exact(message.sent_at)

    @admin.display(description=_("content"))
    def content(self, message: Message) -> SafeString | str:
        """The data of the message, masked."""
        rows = format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td></tr>", safe_pairs(message.data))
        return format_html('<table class="pairs">{}</table>', rows) if rows else "—"
