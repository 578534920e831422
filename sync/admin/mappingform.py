"""One mapping row as staff edit it: its value list is a few lines "here = there" in the same row."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.admin.labels import sentence
from sync.mapping.checks import checked_text
from sync.mapping.transform import value_key
from sync.models import FieldMapping, ValueMapping

MAX_VALUE = ValueMapping._meta.get_field("value").max_length or 0
"""Characters of a value, here or there."""


class MappingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row of one direction."""

    value_list = forms.CharField(
        label=gettext_lazy("Value list"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 24, "placeholder": "конечник = 1321"}),
        help_text=gettext_lazy("A line for each value: here = there. Empty: values travel as they are."),
    )

    class Meta:
        model = FieldMapping
        fields = (
            "to",
            "origin",
            "source",
            "fallback",
            "default",
            "when",
            "value_list",
            "otherwise",
            "position",
        )
        help_texts = {"source": ""}  # the choice beside it says what it is
        widgets = {
            "to": forms.TextInput(attrs={"size": 24}),
            "fallback": forms.TextInput(attrs={"size": 12}),
            "source": forms.Textarea(attrs={"rows": 1, "cols": 30}),
            "default": forms.TextInput(attrs={"size": 12}),
            "position": forms.NumberInput(attrs={"class": "order"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].required = False
        if self.instance.pk:
            pairs = (f"{row.value} = {row.becomes}" for row in self.instance.values.all())
            self.initial["value_list"] = "\n".join(pairs)

    def clean_to(self) -> str:
        """A field's name has no blanks around it."""
        return str(self.cleaned_data["to"]).strip()

    def clean_value_list(self) -> dict[str, str]:
        """The lines as value → value; each faulty line has its own error."""
        return read_values(self.cleaned_data["value_list"])

    def clean(self) -> dict[str, Any]:
        """A text is checked as the configuration file checks it."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("origin") == FieldMapping.Origin.TEMPLATE:
            try:
                checked_text(cleaned.get("source", ""))
            except ValueError as fault:
                self.add_error("source", sentence(str(fault)))
        return cleaned

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]  # Django calls it once the row has its key
        if "value_list" not in self.changed_data:
            return
        self.instance.values.all().delete()
        pairs = self.cleaned_data["value_list"].items()
        ValueMapping.objects.bulk_create(
            ValueMapping(mapping=self.instance, value=value, becomes=becomes) for value, becomes in pairs
        )


def read_values(text: str) -> dict[str, str]:
    """Lines "here = there" as a dict; raises ValidationError with a sentence for every faulty line."""
    values: dict[str, str] = {}
    lines_of: dict[str, int] = {}
    faults: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        value, equals, becomes = (part.strip() for part in line.rpartition("="))
        duplicate = lines_of.setdefault(value_key(value), number)
        if fault := _fault(value, equals, becomes) or (_duplicate(duplicate) if duplicate != number else ""):
            faults.append(_("Line %(number)s: %(fault)s") % {"number": number, "fault": fault})
        values[value] = becomes
    if faults:
        raise ValidationError(faults)
    return values


def _fault(value: str, equals: str, becomes: str) -> str:
    if not equals:
        return _("write it as “here = there”.")
    if not value or not becomes:
        return _("both sides of “=” need a value.")
    if max(len(value), len(becomes)) > MAX_VALUE:
        return _("a value may have at most %(count)s characters.") % {"count": MAX_VALUE}
    return ""


def _duplicate(number: int) -> str:
    return _("the same value as in line %(number)s.") % {"number": number}


class MappingFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The rows of one direction; rows without an order go to the end."""

    direction: str

    def clean(self) -> None:
        """No two rows may write the same field on the same occasion."""
        super().clean()
        seen: set[tuple[str, str]] = set()
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", {})
            if not cleaned.get("to") or cleaned.get("DELETE"):
                continue
            key = FieldMapping.key_of(cleaned["to"], cleaned.get("when", ""))
            if key in seen:
                form.add_error("to", _("Another row writes this field on the same occasion."))
            seen.add(key)

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  # Django's signature
        """Give every row its direction, and its place when it has none."""
        last = max(
            (form.cleaned_data.get("position") or 0 for form in self.forms if form.cleaned_data), default=0
        )
        for form in self.forms:
            form.instance.direction = self.direction
            if form.has_changed() and form.cleaned_data.get("position") is None:
                last += 1
                form.instance.position = last
        return super().save(commit)


class ForwardFormSet(MappingFormSet):
    """Source → target."""

    direction = FieldMapping.Direction.FORWARD


class BackFormSet(MappingFormSet):
    """Target → source."""

    direction = FieldMapping.Direction.BACK


FORMSETS: dict[str, type[MappingFormSet]] = {"forward": ForwardFormSet, "back": BackFormSet}
