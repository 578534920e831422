"""Routes in the file: what all have, and the keys of each flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, Field, PlainValidator, ValidationInfo, create_model
from pydantic_core import PydanticCustomError

from sync.config.columns import number_of, text_of
from sync.config.directories import DirectorySection
from sync.config.forms import Form, MappingSection, PortalSection
from sync.flows import FLOWS
from sync.flows.contract import Flow
from sync.models import Route

NoRows = Annotated[list[MappingSection], Field(max_length=0)]


class FeedbackSection(Form):
    """What goes back to the source; flows add their own keys."""

    mappings: list[MappingSection] = Field(default_factory=list)


class RouteSection(Form):
    """What every flow's route has; what a flow adds, here or in `feedback`, are its options."""

    declared: ClassVar[Flow]

    slug: Annotated[str, text_of(Route, "slug")]
    name: Annotated[str, text_of(Route, "name")] = ""
    flow: str
    source: str
    target: str = ""
    is_paused: bool = False
    reconcile_minutes: Annotated[int, number_of(Route, "reconcile_minutes")] = 15
    mappings: list[MappingSection] = Field(default_factory=list)
    feedback: FeedbackSection = Field(default_factory=FeedbackSection)

    def columns(self) -> dict[str, Any]:
        """The plain columns of `Route` that the file sets; a flow that finds nothing missed never looks."""
        columns = self.given("name", "flow", "is_paused", "reconcile_minutes")
        return columns if self.declared.finds_missed else {**columns, "reconcile_minutes": 0}

    def tables(self) -> dict[str, list[MappingSection]]:
        """Direction → its mapping rows, for the directions that the file mentions."""
        tables = {}
        if "mappings" in self.model_fields_set:
            tables["forward"] = self.mappings
        if "mappings" in self.feedback.model_fields_set:
            tables["back"] = self.feedback.mappings
        return tables

    def options(self, current: Mapping[str, Any]) -> dict[str, Any]:
        """The flow's options: what is stored, changed by what the file says."""
        keys = self.declared.options.model_fields
        known = {key: value for key, value in current.items() if key in keys}
        said = self.given(*keys) | self.feedback.given(*keys)
        return known | {key: _laid_over(known.get(key), value) for key, value in said.items()}


def _laid_over(stored: Any, said: Any) -> Any:
    if not isinstance(said, BaseModel):
        return said
    return (stored if isinstance(stored, dict) else {}) | said.model_dump(exclude_unset=True)


def section_of(flow: Flow) -> type[RouteSection]:
    """The keys of a route of this flow: those that all have, and its own options as their model has them."""
    own: dict[str, Any] = {}
    back: dict[str, Any] = {}
    for key, option in flow.options.model_fields.items():
        (back if key in flow.feedback_options else own)[key] = (option.annotation, option)
    for direction, keys in (("forward", own), ("back", back)):
        if direction not in flow.mappings:
            keys["mappings"] = (NoRows, Field(default_factory=list))
    if not flow.finds_missed:
        own["reconcile_minutes"] = (Annotated[int, Field(ge=0, le=0)], 0)
    own["target"] = (str, ...) if flow.ends.has_target else (Literal[""], "")
    feedback = create_model("FeedbackSection", __base__=FeedbackSection, **back)
    own["feedback"] = (feedback, Field(default_factory=feedback))
    section = create_model("RouteSection", __base__=RouteSection, **own)
    section.declared = flow
    return section


def _route(block: Any, info: ValidationInfo) -> RouteSection:
    if not isinstance(block, dict):
        raise PydanticCustomError("model_type", "not a block")
    flow = FLOWS.get(str(block.get("flow")))
    if flow is None:
        known = {"known": ", ".join(FLOWS)}
        raise ValueError(_("“flow” says what the route does; it must be one of: %(known)s") % known)
    return section_of(flow).model_validate(block, context=info.context)


class FileSection(Form):
    """The whole file."""

    portals: list[PortalSection] = Field(default_factory=list)
    routes: list[Annotated[RouteSection, PlainValidator(_route)]] = Field(default_factory=list)
    directories: list[DirectorySection] = Field(default_factory=list)
