"""What staff have set on a route: its mapping rows as rules for `transform`, its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from sync.mapping.transform import Rule
from sync.models import FieldMapping, Route

Options = TypeVar("Options")


class RouteSettings:
    """The settings of one route, each read when it is first asked for.

    A parcel holds one for each of its routes and goes with them: staff may change a setting at any time, and
    the next parcel shall know it.
    """

    def __init__(self, route: Route) -> None:
        self.route = route
        self._rules: dict[str, list[Rule]] = {}
        self._options: Any = None

    def rules(self, direction: Literal["forward", "back"]) -> list[Rule]:
        """The route's rules in one direction; read once."""
        if direction not in self._rules:
            self._rules[direction] = rules_of(self.route, direction)
        return self._rules[direction]

    def options(self, check: Callable[[Mapping[str, Any]], Options]) -> Options:
        """The route's options as the flow's `check` makes them, once; raises as it does."""
        if self._options is None:
            self._options = check(self.route.options)
        options: Options = self._options
        return options


def rules_of(route: Route, direction: str) -> list[Rule]:
    """The route's rules in one direction, as they are now."""
    rows = route.mappings.filter(direction=direction).prefetch_related("values")
    return [_rule(row) for row in rows]


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
