"""The form of a portal: secrets go in and never come out; the address is checked when it is entered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from sync.admin.cards import host_of
from sync.config.secrets import ADDRESS_OF_KIND
from sync.models import Portal

SECRETS = ("webhook_url", "inbound_token")
SHORTEST_TOKEN = 8


class PortalForm(forms.ModelForm):  # type: ignore[type-arg]
    """An empty secret keeps the stored one; what is stored is never rendered, not even a part of it."""

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
                field.help_text = f"{self._stored(name)} {field.help_text}"

    def _stored(self, name: str) -> str:
        host = host_of(self.instance) if name == "webhook_url" else ""
        kept = _("Leave it empty to keep it.")
        stored = _("Stored (%(host)s).") % {"host": host} if host else _("Stored.")
        return f"{stored} {kept}"

    def clean_inbound_token(self) -> str:
        """The new token, or the stored one."""
        token = (self.cleaned_data["inbound_token"] or "").strip()
        if token and len(token) < SHORTEST_TOKEN:
            raise ValidationError(
                _("Too short: take at least %(count)s characters.") % {"count": SHORTEST_TOKEN}
            )
        return token or self.instance.inbound_token

    def clean(self) -> dict[str, Any]:
        """The webhook's address has the shape and the host that the system needs."""
        cleaned = super().clean() or self.cleaned_data
        given = (cleaned.get("webhook_url") or "").strip()
        if not given:
            cleaned["webhook_url"] = self.instance.webhook_url
            return cleaned
        try:
            cleaned["webhook_url"] = ADDRESS_OF_KIND[cleaned.get("kind", "")](given)
        except KeyError:  # the kind has its own error
            pass
        except ValueError as fault:
            self.add_error("webhook_url", _sentence(str(fault)))
        return cleaned


def _sentence(fault: str) -> str:
    return fault[:1].upper() + fault[1:]
