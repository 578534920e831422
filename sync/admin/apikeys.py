"""API keys: made here, shown once, revoked; nobody can read one again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from sync.admin.labels import badge_of
from sync.admin.moments import ago, exact
from sync.admin.screen import ReadOnly, Screen
from sync.models import ApiKey
from sync.models.secret import cipher

NEW_KEY_IN_SESSION = "fresh_api_key"
"""The session's entry that holds a new key, encrypted, until its page has shown it."""


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a new key, its scopes and when it expires."""

    scopes = forms.MultipleChoiceField(
        label=_("May"), choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")

    def clean_expires_at(self) -> Any:
        """Accept only a moment in the future."""
        moment = self.cleaned_data["expires_at"]
        if moment and moment <= timezone.now():
            raise ValidationError(gettext("This moment has passed: the key would never work."))
        return moment


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, Screen):
    """One row a key; it cannot be changed, only revoked."""

    form = ApiKeyForm
    actions = ("revoke",)
    buttons = ("revoke",)
    list_display = ("name", "beginning", "state", "may", "expires", "used", "created", "created_by")
    list_select_related = ("created_by",)
    empty_hint = _("No key yet. Programs that send users to the API need one each.")
    fields = (
        "name", "beginning", "state", "may", "expires_text", "used_text", "revoked_text", "created_text",
        "created_by",
    )  # fmt: skip
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may make keys."""
        return bool(request.user.has_perm("sync.add_apikey"))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may revoke them."""
        return bool(request.user.has_perm("sync.change_apikey"))

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """The form's fields for a new key, all others for an existing one."""
        return self.fields if obj else ApiKeyForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Every field of an existing key; a key cannot be edited."""
        return self.readonly_fields if obj else ()

    def get_urls(self) -> list[URLPattern]:
        """The screen's addresses, and that of the page which shows a new key."""
        view = self.admin_site.admin_view(never_cache(self.show_fresh))
        return [path("fresh/", view, name="sync_apikey_fresh"), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form with one save button: the next page must be the one that shows the key."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save a new key; its text goes only to the session of the person who made it."""
        key = obj.issue()
        obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)
        request.session[NEW_KEY_IN_SESSION] = cipher().encrypt(key.encode()).decode()

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        """Redirect to the page that shows the key, so that reloading makes no second key."""
        return HttpResponseRedirect(reverse("admin:sync_apikey_fresh"))

    def show_fresh(self, request: HttpRequest) -> HttpResponse:
        """Show the key that was just made, once."""
        sealed = request.session.pop(NEW_KEY_IN_SESSION, None)
        if sealed is None:
            self.message_user(
                request, gettext("A key is shown once. If it is lost, make another one."), messages.WARNING
            )
            return HttpResponseRedirect(reverse("admin:sync_apikey_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("The new key"),
            "key": cipher().decrypt(sealed.encode()).decode(),
            "media": self.media + forms.Media(js=["sync/copy.js"]),
        }
        return TemplateResponse(request, "admin/sync/apikey/fresh.html", context)

    def is_applicable(self, button: str, record: ApiKey) -> bool:
        """A revoked key cannot be revoked again."""
        return record.revoked_at is None

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Ask first: a program stops working within a second, and there is no way back."""
        keys = list(queryset.filter(revoked_at=None))
        if not keys:
            self.message_user(request, gettext("They are revoked already."), messages.WARNING)
            return None
        if "sure" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": gettext("Revoke?"),
                "keys": [(key, ago(key.used_at)) for key in keys],
                "media": self.media,
            }
            return TemplateResponse(request, "admin/sync/apikey/revoke.html", context)
        done = [key for key in keys if key.revoke()]
        self.log_many(request, done, gettext("Revoke"))
        self.message_user(request, gettext("Revoked: the key is refused from now on."), messages.SUCCESS)
        return None

    @admin.display(description=_("begins with"))
    def beginning(self, key: ApiKey) -> str:
        """Enough to tell keys apart."""
        return f"{key.prefix}…"

    @admin.display(description=_("state"))
    def state(self, key: ApiKey) -> SafeString:
        """Whether the key works, has expired or was revoked."""
        if key.revoked_at:
            return badge_of("bad", gettext("revoked"))
        if not key.is_in_time(timezone.now()):
            return badge_of("quiet", gettext("expired"))
        return badge_of("good", gettext("works"))

    @admin.display(description=_("may"))
    def may(self, key: ApiKey) -> str:
        """Its scopes in words."""
        return "; ".join(str(label) for scope, label in ApiKey.Scope.choices if scope in key.scopes) or "—"

    @admin.display(description=_("expires"))
    def expires(self, key: ApiKey) -> SafeString | str:
        """When the key expires."""
        return ago(key.expires_at)

    @admin.display(description=_("last used"))
    def used(self, key: ApiKey) -> SafeString | str:
        """How long ago somebody used it, to the minute."""
        return ago(key.used_at)

    @admin.display(description=_("created"))
    def created(self, key: ApiKey) -> SafeString | str:
        """How long ago the key was made."""
        return ago(key.created_at)

    @admin.display(description=_("expires"))
    def expires_text(self, key: ApiKey) -> str:
        """When the key expires, exactly."""
        return exact(key.expires_at)

    @admin.display(description=_("last used"))
    def used_text(self, key: ApiKey) -> str:
        """When somebody used it, to the minute."""
        return exact(key.used_at)

    @admin.display(description=_("revoked"))
    def revoked_text(self, key: ApiKey) -> str:
        """When it was revoked, exactly."""
        return exact(key.revoked_at)

    @admin.display(description=_("created"))
    def created_text(self, key: ApiKey) -> str:
        """When it was made, exactly."""
        return exact(key.created_at)
