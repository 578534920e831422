"""What staff may set on a route of deals, beside its mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sync.errors import NeedsStaff
from sync.flows.contract import Parcel
from sync.mapping.checks import checked_text
from sync.mapping.transform import names_in, render
from sync.models import Job

COMMENT_NAMES = ("target_id", "source_id", "title")
"""What the comment on the source card may name."""


def _comment_template(template: str) -> str:
    unknown = sorted(names_in(template) - set(COMMENT_NAMES))
    if unknown:
        raise ValueError(
            _("the comment may name only %(known)s, not %(unknown)s")
            % {
                "known": ", ".join(f"{{{name}}}" for name in COMMENT_NAMES),
                "unknown": ", ".join(f"{{{name}}}" for name in unknown),
            }
        )
    return checked_text(template)


CommentTemplate = Annotated[str, AfterValidator(_comment_template)]


class Carry(BaseModel):
    """What travels with a deal; `comments` says which way timeline comments go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contacts: bool = False
    companies: bool = False
    products: bool = False
    files: bool = False
    comments: Literal["none", "forward", "back", "both"] = "none"


class DealOptions(BaseModel):
    """`comment` and `stage` are for the source card, after its deal has arrived; empty means: nothing.

    `reconcile` says whose changes the sweep for missed webhooks looks for: only those of deals that travel
    already (right where a robot chooses which deals go), or of all deals of the source. `look_first`: look on
    the target for a deal with our stamp before each create; for the time after a restore of an older backup,
    whose deal mappings do not know the newest deals.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    comment: CommentTemplate = ""
    stage: Annotated[str, Field(max_length=60)] = ""
    carry: Carry = Field(default_factory=Carry)
    reconcile: Literal["linked", "all"] = "linked"
    look_first: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> DealOptions:
        """The options as stored on a route; raises NeedsStaff naming what is wrong with them."""
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_context=False, include_input=False)
            )
            raise NeedsStaff(
                _("The route's options are wrong: %(faults)s. Correct them on the route, then press Retry.")
                % {"faults": faults}
            ) from error

    def comment_text(self, *, target_id: str, source_id: str, title: str) -> str:
        """The comment with its names filled; braces inside the title stay text."""
        filled = {"target_id": target_id, "source_id": source_id, "title": title}
        return render(self.comment, lambda name: filled.get(name, ""))


def options_of(parcel: Parcel, job: Job) -> DealOptions:
    """The options of the job's route, checked once a parcel; raises as `of` does."""
    return parcel.settings(job).options(DealOptions.of)
