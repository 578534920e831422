"""The form of a route: the flow's options as fields, checked by the flow's own model."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from sync.admin.labels import sentence
from sync.config.ends import other_leads, wrong_end
from sync.flows.deals.options import COMMENT_NAMES, DealOptions
from sync.models import Portal, Route

PATHS: dict[str, tuple[str, ...]] = {
    "comment": ("comment",),
    "stage": ("stage",),
    "carry_contacts": ("carry", "contacts"),
    "carry_companies": ("carry", "companies"),
    "carry_products": ("carry", "products"),
    "carry_files": ("carry", "files"),
    "carry_comments": ("carry", "comments"),
    "reconcile": ("reconcile",),
    "look_first": ("look_first",),
}
"""Form field → where it stands in the options of a route of deals."""

COMMENT_WAYS = [
    ("none", _("do not carry")),
    ("forward", _("source → target")),
    ("back", _("target → source")),
    ("both", _("both ways")),
]


RECONCILED = [
    ("linked", _("changes of deals that travel already")),
    ("all", _("changes of all deals of the source, new ones too")),
]


class RouteForm(forms.ModelForm):  # type: ignore[type-arg]
    """A route; what stands here beside its columns are the options of a route of deals."""

    comment = forms.CharField(
        label=_("Comment on the source card"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text=_("Written once the deal has arrived; empty: none. It may name {names}."),
    )
    stage = forms.CharField(
        label=_("Stage of the source card"),
        required=False,
        max_length=60,
        help_text=_(
            "The stage the source card moves to once the deal has arrived, such as C2:UC_MXQPC8; empty: none."
        ),
    )
    carry_contacts = forms.BooleanField(label=_("Contacts"), required=False)
    carry_companies = forms.BooleanField(label=_("Companies"), required=False)
    carry_products = forms.BooleanField(label=_("Products"), required=False)
    carry_files = forms.BooleanField(label=_("Files"), required=False)
    carry_comments = forms.ChoiceField(label=_("Timeline comments"), choices=COMMENT_WAYS, initial="none")
    reconcile = forms.ChoiceField(
        label=_("Look for missed"),
        choices=RECONCILED,
        initial="linked",
        help_text=_("Where a robot chooses which deals go, leave it at the deals that travel already."),
    )
    look_first = forms.BooleanField(
        label=_("Look on the target before creating"),
        required=False,
        help_text=_("For the time after a restore of an older backup: a deal that is there is linked again."),
    )

    class Meta:
        model = Route
        exclude = ("options",)  # noqa: DJ006  # every other column; options are the fields above

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.flow != Route.Flow.DEALS:
            for name in PATHS:  # they are not shown, and a choice that is not shown cannot be made
                self.fields.pop(name, None)
        names = ", ".join(f"{{{name}}}" for name in COMMENT_NAMES)
        for name, path in PATHS.items():
            if name in self.fields and (stored := _found(self.instance.options, path)) is not None:
                self.initial[name] = stored
        if "comment" in self.fields:
            self.fields["comment"].help_text = str(self.fields["comment"].help_text).format(names=names)

    def clean(self) -> dict[str, Any]:
        """The options as the flow itself checks them, each error at its field."""
        cleaned = super().clean() or self.cleaned_data
        flow = cleaned.get("flow", self.instance.flow)
        self._check_ends(flow, cleaned)
        if flow == Route.Flow.LEADS:
            cleaned["reconcile_minutes"] = 0  # requests wait in their queue: none is missed
        if flow != Route.Flow.DEALS:
            return cleaned
        options = _laid_over(self.instance.options, cleaned)
        try:
            self.instance.options = DealOptions.model_validate(options).model_dump()
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                self._blame(fault["loc"], str(fault.get("ctx", {}).get("error", fault["msg"])))
        return cleaned

    def _check_ends(self, flow: str, cleaned: dict[str, Any]) -> None:
        """Portals of the kinds that the flow joins; a user has one lead."""
        source, target = (_kind(cleaned.get(side), self.instance, side) for side in ("source", "target"))
        if found := wrong_end(flow, source=source, target=target):
            self.add_error(found[0] if found[0] in self.fields else None, sentence(found[1]))
        slug = cleaned.get("slug") or self.instance.slug
        if flow == Route.Flow.LEADS and (why := other_leads(slug)):
            self.add_error("flow" if "flow" in self.fields else None, sentence(why))

    def _blame(self, where: tuple[Any, ...], fault: str) -> None:
        field = next((name for name, path in PATHS.items() if path == where), None)
        place = "" if field else f"{'.'.join(map(str, where))}: "
        self.add_error(field if field in self.fields else None, f"{place}{fault}")


def _kind(chosen: Portal | None, route: Route, side: str) -> str:
    """The kind of the portal at one end, as chosen or as stored; "" when there is none."""
    stored = getattr(route, side) if getattr(route, f"{side}_id") else None
    portal = chosen or stored
    return portal.kind if portal else ""


def _found(options: dict[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = options
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _laid_over(options: dict[str, Any], cleaned: dict[str, Any]) -> dict[str, Any]:
    """The stored options with what the form says; options the form does not know stay."""
    result = {**options, "carry": {**(options.get("carry") or {})}}
    for name, path in PATHS.items():
        if name in cleaned:
            place = result["carry"] if len(path) > 1 else result
            place[path[-1]] = cleaned[name]
    return result
