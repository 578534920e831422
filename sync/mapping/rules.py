"""A route's mapping rows as rules for `transform`."""

from __future__ import annotations

from sync.mapping.transform import Rule
from sync.models import FieldMapping, Route


def rules_of(route: Route, direction: str) -> list[Rule]:
    """The route's rules in one direction; read once a parcel, since its jobs share the route."""
    known: dict[str, list[Rule]] = route.__dict__.setdefault("_rules", {})
    if direction not in known:
        rows = route.mappings.filter(direction=direction).prefetch_related("values")
        known[direction] = [_rule(row) for row in rows]
    return known[direction]


def _rule(row: FieldMapping) -> Rule:
    return Rule(
        to=row.to,
        origin=row.origin,  # type: ignore[arg-type]  # the choices are Rule's own words
        source=row.source,
        default=row.default,
        fallback=row.fallback,
        when=row.when,  # type: ignore[arg-type]
        otherwise=row.otherwise,  # type: ignore[arg-type]
        values={value.value: value.becomes for value in row.values.all()},
    )
