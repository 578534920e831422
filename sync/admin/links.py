"""Mappings: which target record belongs to which source record; a superuser may correct one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.admin.cards import card_link, read_number
from sync.admin.labels import entity_label
from sync.admin.moments import ago, exact
from sync.admin.record_search import DealSearch, mapped_entities
from sync.admin.screen import ReadOnly, Screen
from sync.models import Link, Route

WRITTEN = ("content_hash", "back_hash", "products_hash", "files", "party_ids")
"""What the record at the other end has of ours."""


class LinkForm(forms.ModelForm):  # type: ignore[type-arg]
    """Changes only the target's ID: with another source record it would be another mapping."""

    target_id = forms.CharField(
        label=_("Target record"),
        max_length=200,  # an address is longer than an ID
        help_text=_(
            "The record's ID at the receiving portal, or the address of its card. From now on updates go to "
            "that record; the former one is left as it is."
        ),
    )

    class Meta:
        model = Link
        fields = ("target_id",)

    def clean_target_id(self) -> str:
        """Accept an ID or a card's address, when no other mapping of the route has that record."""
        number = read_number(self.cleaned_data["target_id"])
        if number is None:
            raise ValidationError(gettext("This is neither an ID nor the address of a card."))
        duplicates = Link.objects.filter(
            route=self.instance.route_id, entity=self.instance.entity, target_id=number.deal_id
        ).exclude(pk=self.instance.pk)
        if duplicate := duplicates.first():
            raise ValidationError(
                gettext("%(target)s is already mapped to %(source)s. Correct that mapping first.")
                % {"target": number.deal_id, "source": duplicate.source_id}
            )
        return number.deal_id


@admin.register(Link)
class LinkAdmin(DealSearch, ReadOnly, Screen):
    """One row a pair of records."""

    form = LinkForm
    empty_hint = _(
        "Nothing is mapped yet: a mapping is made when a deal or a user is carried for the first time."
    )
    list_display = ("pair", "what", "route", "source_card", "target_card", "state", "changed")
    list_select_related = ()  # get_queryset does it; False would join every table that may be joined
    list_display_links = ("pair",)
    list_filter = ("route",)
    readonly_fields = (
        "what",
        "route",
        "source_card",
        "target_card",
        "state",
        "reported_text",
        "changed_text",
    )
    fields = ("target_id", *readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Link]:
        """Mappings of deals and leads only; those of contacts and comments are internal to the flow.

        The rows of a page share their few routes and portals.
        """
        routes = Route.objects.select_related("source", "target")
        links: QuerySet[Link] = super().get_queryset(request).filter(entity__in=mapped_entities())
        links = links.defer("params", "files", "party_ids")
        return links.prefetch_related(Prefetch("route", queryset=routes))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only: a wrong mapping writes into somebody else's record."""
        return bool(request.user.is_active and request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Link, form: Any, change: Any) -> None:
        """Save the new target and forget what the old one was sent: the next event writes everything."""
        if "target_id" not in form.changed_data:
            return
        obj.state = Link.State.LINKED
        obj.content_hash = obj.back_hash = obj.products_hash = ""
        obj.files, obj.party_ids = {}, {}
        obj.save(update_fields=["target_id", "state", *WRITTEN, "updated_at"])

    def construct_change_message(self, request: HttpRequest, form: Any, *args: Any, **kwargs: Any) -> Any:
        """Name both IDs, so that the log shows the former target."""
        if "target_id" not in form.changed_data:
            return super().construct_change_message(request, form, *args, **kwargs)
        return gettext("Re-linked: %(before)s → %(after)s") % {
            "before": form.initial.get("target_id") or "…",
            "after": form.cleaned_data["target_id"],
        }

    @admin.display(description=_("what"))
    def what(self, link: Link) -> str:
        """The entity of the mapping, in words."""
        return entity_label(link.entity)

    @admin.display(description=_("records"))
    def pair(self, link: Link) -> str:
        """The IDs of source and target."""
        return str(link)

    @admin.display(description=_("source card"))
    def source_card(self, link: Link) -> SafeString | str:
        """The record at the sending portal."""
        return card_link(link.route.source, link.source_id)

    @admin.display(description=_("target card"))
    def target_card(self, link: Link) -> SafeString | str:
        """The record at the receiving portal."""
        return card_link(link.route.target, link.target_id, entity=link.entity)

    @admin.display(description=_("changed"))
    def changed(self, link: Link) -> SafeString | str:
        """How long ago we wrote to the target."""
        return ago(link.updated_at)

    @admin.display(description=_("changed"))
    def changed_text(self, link: Link) -> str:
        """When we last wrote to the target, exactly."""
        return exact(link.updated_at)

    @admin.display(description=_("reported back"))
    def reported_text(self, link: Link) -> str:
        """When the target was reported to the source card, exactly."""
        return exact(link.reported_at)
