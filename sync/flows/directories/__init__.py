"""Reference data of a portal kept in local tables, one way.

read ─ first page, texts of choices ─▶ [pages …] ─▶ write: compare, hold back or write, in one transaction
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from sync.flows.contract import Flow, Ignored, JobSpec, Side
from sync.flows.declarations import Ends, JobKind
from sync.flows.directories import reading, writing
from sync.flows.directories.writing import KIND
from sync.models import Directory, Event, Route

NAME = Directory.FLOW
"""Its name in the registry, and on routes."""


def sort(_: Route, __: Side, events: list[Event]) -> list[JobSpec | Ignored]:
    """Directories are read by the clock; no event asks for them."""
    return [Ignored("") for _event in events]


def backfill(slug: str) -> JobSpec:
    """A directory to be read."""
    return JobSpec(KIND, slug, "read")


FLOW = Flow(
    label=gettext_lazy("Directories"),
    kinds={KIND: JobKind(label=gettext_lazy("reading a directory"), target=None)},
    ends=Ends(source=("bitrix24",)),
    sort=sort,
    backfill=backfill,
    steps={**reading.STEPS, **writing.STEPS},
    usual_next={"read": "pages", "pages": "write"},
)
