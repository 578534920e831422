"""What an import has done, or would do: row by row, field by field, without secrets."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Outcome = Literal["created", "changed", "unchanged", "removed"]

MASK = "••••"
NAMES = {
    "created": gettext_lazy("created"),
    "changed": gettext_lazy("changed"),
    "unchanged": gettext_lazy("unchanged"),
    "removed": gettext_lazy("removed"),
    "portal": gettext_lazy("portal"),
    "route": gettext_lazy("route"),
    "mapping": gettext_lazy("mapping"),
    "directory": gettext_lazy("directory"),
}


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after, as staff see it; empty text where there was or is nothing."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One row: a portal, a route, a mapping row of a route, or a directory with its columns."""

    kind: Literal["portal", "route", "mapping", "directory"]
    name: str
    outcome: Outcome
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class Report:
    """All rows the file speaks of, in its order."""

    changes: tuple[Change, ...]
    is_dry_run: bool = False

    def count(self, outcome: Outcome) -> int:
        """How many rows had this outcome."""
        return Counter(change.outcome for change in self.changes)[outcome]

    @property
    def is_unchanged(self) -> bool:
        """Whether the database already said what the file says."""
        return all(change.outcome == "unchanged" for change in self.changes)

    def lines(self) -> Iterator[str]:
        """The report as a table for a terminal."""
        width = max((len(change.name) for change in self.changes), default=0)
        for change in self.changes:
            yield f"{NAMES[change.kind]:<10} {change.name:<{width}}  {NAMES[change.outcome]}"
            if change.outcome != "removed":
                yield from (f"    {_arrow(field, change.outcome)}" for field in change.fields)
        yield _(
            "Created: %(created)s, changed: %(changed)s, removed: %(removed)s, unchanged: %(unchanged)s."
        ) % {outcome: self.count(outcome) for outcome in ("created", "changed", "removed", "unchanged")}
        if self.is_dry_run:
            yield _("This was a dry run: nothing was changed.")


def _arrow(change: FieldChange, outcome: Outcome) -> str:
    before, after = change.before or "—", change.after or "—"
    return f"{change.field}: {after}" if outcome == "created" else f"{change.field}: {before} → {after}"


def shown(value: Any, *, is_secret: bool = False) -> str:
    """A value as the report shows it."""
    if value is None or value == "":
        return ""
    if is_secret:
        return MASK
    return str(value).lower() if isinstance(value, bool) else str(value)
