"""Routes in the file: what all have, and the keys of each flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, Field, PlainValidator, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from sync.config.directories import DirectorySection
from sync.config.forms import Form, MappingSection, PortalSection, slug_of
from sync.flows.deals.options import Carry, CommentTemplate, DealOptions


class FeedbackSection(Form):
    """What goes back to the source; flows add their own keys."""

    mappings: list[MappingSection] = Field(default_factory=list)


class RouteSection(Form):
    """What every flow's route has.

    Whatever a flow adds, here or in `feedback`, are its options: keys of `options_model`, which checks them.
    """

    options_model: ClassVar[type[BaseModel]]
    has_target: ClassVar[bool] = True
    has_feedback: ClassVar[bool] = True

    slug: Annotated[str, slug_of(60)]
    name: Annotated[str, StringConstraints(max_length=100)] = ""
    flow: str
    source: str
    target: str = ""
    is_paused: bool = False
    reconcile_minutes: Annotated[int, Field(ge=0, le=100_000)] = 15
    mappings: list[MappingSection] = Field(default_factory=list)
    feedback: FeedbackSection = Field(default_factory=FeedbackSection)

    def columns(self) -> dict[str, Any]:
        """The plain columns of `Route` that the file sets."""
        return self.given("name", "flow", "is_paused", "reconcile_minutes")

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
        known = {key: value for key, value in current.items() if key in self.options_model.model_fields}
        said = self.given(*_own_keys(type(self))) | self.feedback.given(*_own_keys(type(self.feedback)))
        return known | {key: _laid_over(known.get(key), value) for key, value in said.items()}

    @classmethod
    def blocks(cls, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The options as the file has them: the keys of `feedback`, and those of the route itself."""
        own = {key: options[key] for key in _own_keys(cls)}
        return {key: value for key, value in options.items() if key not in own}, own


def _own_keys(section: type[Form]) -> list[str]:
    """The keys that a flow's section has beyond the common ones."""
    common = FeedbackSection if issubclass(section, FeedbackSection) else RouteSection
    return [key for key in section.model_fields if key not in common.model_fields]


def _laid_over(stored: Any, said: Any) -> Any:
    if not isinstance(said, BaseModel):
        return said
    return (stored if isinstance(stored, dict) else {}) | said.model_dump(exclude_unset=True)


class DealFeedbackSection(FeedbackSection):
    """What the source card gets when its deal has arrived, and what comes back later."""

    comment: CommentTemplate = ""
    stage: str = ""


class DealRouteSection(RouteSection):
    """A route of deals."""

    options_model = DealOptions

    target: str
    feedback: DealFeedbackSection = Field(default_factory=DealFeedbackSection)
    carry: Carry = Field(default_factory=Carry)
    reconcile: Literal["linked", "all"] = "linked"
    look_first: bool = False


class NoOptions(BaseModel):
    """A flow without options of its own."""


class DirectoryRouteSection(RouteSection):
    """A route of directories: it ends in our own tables; fields stand with each directory."""

    options_model = NoOptions
    has_target = False

    reconcile_minutes: Annotated[int, Field(ge=0, le=0)] = 0
    target: Literal[""] = ""
    mappings: Annotated[list[MappingSection], Field(max_length=0)] = Field(default_factory=list)

    def columns(self) -> dict[str, Any]:
        """There is nothing to look for between two readings."""
        return {**super().columns(), "reconcile_minutes": 0}


class NoFeedbackSection(FeedbackSection):
    """Nothing goes back to the source by mappings."""

    mappings: Annotated[list[MappingSection], Field(max_length=0)] = Field(default_factory=list)


class LeadRouteSection(RouteSection):
    """A route of leads: from the users API to a portal; each request is answered by a reply."""

    options_model = NoOptions
    has_feedback = False

    reconcile_minutes: Annotated[int, Field(ge=0, le=0)] = 0
    target: str
    feedback: NoFeedbackSection = Field(default_factory=NoFeedbackSection)

    def columns(self) -> dict[str, Any]:
        """There is nothing to look for: requests wait in their queue."""
        return {**super().columns(), "reconcile_minutes": 0}


ROUTE_FORMS: dict[str, type[RouteSection]] = {
    "deals": DealRouteSection,
    "directories": DirectoryRouteSection,
    "leads": LeadRouteSection,
}


def _route(block: Any, info: ValidationInfo) -> RouteSection:
    if not isinstance(block, dict):
        raise PydanticCustomError("model_type", "not a block")
    section = ROUTE_FORMS.get(str(block.get("flow")))
    if section is None:
        known = {"known": ", ".join(ROUTE_FORMS)}
        raise ValueError(_("“flow” says what the route does; it must be one of: %(known)s") % known)
    return section.model_validate(block, context=info.context)


class FileSection(Form):
    """The whole file."""

    portals: list[PortalSection] = Field(default_factory=list)
    routes: list[Annotated[RouteSection, PlainValidator(_route)]] = Field(default_factory=list)
    directories: list[DirectorySection] = Field(default_factory=list)
