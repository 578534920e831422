"""The form of a route: the options of its flow as fields, checked by the flow's own model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sync.admin.labels import sentence
from sync.config.ends import second_route, wrong_end, wrong_target
from sync.flows import FLOWS
from sync.flows.contract import Flow
from sync.flows.declarations import OptionField, fields_of
from sync.models import Portal, Route


class RouteForm(forms.ModelForm):  # type: ignore[type-arg]
    """The columns of a route; `form_of` adds the options of the flow that the page is `shown` for."""

    shown: ClassVar[Flow]

    class Meta:
        model = Route
        exclude = ("options",)  # noqa: DJ006  # every other column; options are fields of their own

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for option in fields_of(self.shown.form):
            if (stored := _found(self.instance.options, option.path)) is not None:
                self.initial[option.name] = stored

    def clean(self) -> dict[str, Any]:
        """The ends and options as the chosen flow declares them, each error at its field."""
        cleaned = super().clean() or self.cleaned_data
        name = cleaned.get("flow", self.instance.flow)
        flow = FLOWS[name]
        self._check_ends(name, cleaned)
        if not flow.finds_missed:  # none is missed: nothing to look for
            cleaned["reconcile_minutes"] = self.instance.reconcile_minutes = 0
        stored = self.instance.options if name == self.instance.flow else {}
        try:
            options = flow.options.model_validate(_laid_over(stored, flow, cleaned))
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                self._blame(fault["loc"], str(fault.get("ctx", {}).get("error", fault["msg"])))
        else:
            self.instance.options = options.model_dump()
        return cleaned

    def _check_ends(self, name: str, cleaned: dict[str, Any]) -> None:
        """Portals that the flow joins, and no second route of a flow that has only one."""
        source, target = (_end(cleaned.get(side), self.instance, side) for side in ("source", "target"))
        kinds = {"source": source.kind if source else "", "target": target.kind if target else ""}
        if found := wrong_end(name, **kinds):
            self._add(found[0], found[1])
        if why := wrong_target(name, has_target=target is not None):
            self._add("target", why)
        if why := second_route(name, cleaned.get("slug") or self.instance.slug):
            self._add("flow", why)

    def _add(self, field: str, fault: str) -> None:
        self.add_error(field if field in self.fields else None, sentence(fault))

    def _blame(self, where: tuple[Any, ...], fault: str) -> None:
        name = "_".join(map(str, where))
        place = "" if name in self.fields else f"{'.'.join(map(str, where))}: "
        self.add_error(name if name in self.fields else None, f"{place}{fault}")


def form_of(flow: Flow) -> type[RouteForm]:
    """The form of a route of this flow."""
    fields = {option.name: _field_of(option, flow.options) for option in fields_of(flow.form)}
    return type("RouteForm", (RouteForm,), {**fields, "shown": flow})


def _field_of(option: OptionField, options: type[BaseModel]) -> forms.Field:
    """The form's field for an option: a choice, a box to tick, a whole number, or a text."""
    info = _option_info(option.path, options)
    usual: dict[str, Any] = {"label": option.label, "help_text": option.help_text, "initial": info.default}
    if option.choices:
        return forms.ChoiceField(choices=list(option.choices.items()), **usual)
    if info.annotation is bool:
        return forms.BooleanField(required=False, **usual)
    if info.annotation is int:
        return forms.IntegerField(**usual)
    if info.is_required():
        usual.pop("initial")
    widget = forms.Textarea(attrs={"rows": option.rows, "class": "vLargeTextField"})
    return forms.CharField(
        required=info.is_required(),
        max_length=next((part.max_length for part in info.metadata if hasattr(part, "max_length")), None),
        widget=widget if option.rows > 1 else None,
        **usual,
    )


def _option_info(path: tuple[str, ...], options: type[BaseModel]) -> FieldInfo:
    *blocks, last = path
    for block in blocks:
        options = cast("type[BaseModel]", options.model_fields[block].annotation)
    return options.model_fields[last]


def _end(chosen: Portal | None, route: Route, side: str) -> Portal | None:
    """The portal at one end, as chosen or as stored."""
    return chosen or (getattr(route, side) if getattr(route, f"{side}_id") else None)


def _found(options: dict[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = options
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _laid_over(options: Mapping[str, Any], flow: Flow, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The stored options with what the form says; options the form does not know stay."""
    result = dict(options)
    for option in fields_of(flow.form):
        if option.name in cleaned:
            *blocks, last = option.path
            place = result
            for block in blocks:
                place[block] = place = {**(place.get(block) or {})}
            place[last] = cleaned[option.name]
    return result
