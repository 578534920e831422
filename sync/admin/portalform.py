"""The form of a portal: secrets go in and never come out; the address is checked when it is entered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from sync.admin.cards import host_of
from sync.admin.labels import sentence
from sync.config.ends import second_portal
from sync.config.secrets import address_of
from sync.connectors import is_called
from sync.models import Portal

SECRETS = ("webhook_url", "inbound_token")


class PortalForm(forms.ModelForm):  # type: ignore[type-arg]
    """An empty secret keeps the stored one; a stored secret is never rendered, not even a part of it."""

    class Meta:
        model = Portal
        fields = (
            "name", "slug", "kind", "is_paused", "webhook_url", "inbound_token", "requests_per_minute",
            "burst", "slots", "bucket_size", "bucket_leak", "request_seconds",
        )  # fmt: skip
        widgets = {
            name: forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})
            for name in SECRETS
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(SECRETS) & set(self.fields):
            stored = self.initial.pop(name, "")  # neither HTML nor "changed fields" may see it
            if stored:
                field = self.fields[name]
                field.required = False
                field.widget.attrs["placeholder"] = "●●●●●●●●"
                field.help_text = f"{self._stored_text(name)} {field.help_text}"

    def _stored_text(self, name: str) -> str:
        host = host_of(self.instance) if name == "webhook_url" else ""
        kept = _("Leave it empty to keep it.")
        stored = _("Stored (%(host)s).") % {"host": host} if host else _("Stored.")
        return f"{stored} {kept}"

    def clean_inbound_token(self) -> str:
        """The new token, or the stored one when none was entered."""
        token = (self.cleaned_data["inbound_token"] or "").strip()
        if token and len(token) < Portal.MIN_TOKEN:
            least = {"count": Portal.MIN_TOKEN}
            raise ValidationError(_("Too short: take at least %(count)s characters.") % least)
        return token or self.instance.inbound_token

    def clean(self) -> dict[str, Any]:
        """Check the address that the kind of system needs, or that it has none."""
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind") or self.instance.kind
        if why := second_portal(kind, cleaned.get("slug") or self.instance.slug):
            self.add_error("kind" if "kind" in self.fields else None, sentence(why))
        if not is_called(kind):
            cleaned.update(dict.fromkeys(set(SECRETS) & set(self.fields), ""))
        elif "webhook_url" in self.fields:
            self._clean_address(cleaned, kind)
        return cleaned

    def _clean_address(self, cleaned: dict[str, Any], kind: str) -> None:
        given = (cleaned.get("webhook_url") or "").strip()
        if not given:
            cleaned["webhook_url"] = self.instance.webhook_url
            if not self.instance.webhook_url:
                self.add_error("webhook_url", _("Without its address nobody can call it."))
            return
        try:
            cleaned["webhook_url"] = address_of(kind, given)
        except ValueError as fault:
            self.add_error("webhook_url", sentence(str(fault)))
