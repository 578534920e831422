"""Reference data of a portal kept in local tables, one way.

read ─ first page, texts of choices ─▶ [pages …] ─▶ write: compare, hold back or write, in one transaction
"""

from __future__ import annotations

from sync.flows.contract import Flow, Ignored, JobSpec, Side
from sync.flows.directories import reading, writing
from sync.flows.directories.writing import KIND
from sync.models import Event, Route


def sort(_: Route, __: Side, events: list[Event]) -> list[JobSpec | Ignored]:
    """Directories are read by the clock; no event asks for them."""
    return [Ignored("") for _event in events]


def backfill(slug: str) -> JobSpec:
    """A directory to be read."""
    return JobSpec(KIND, slug, "read")


FLOW = Flow(
    sort=sort,
    backfill=backfill,
    steps={**reading.STEPS, **writing.STEPS},
    usual_next={"read": "pages", "pages": "write"},
)
