"""The mapping rows of one direction of a route, made equal to the file's; rows that stay keep their keys."""

from collections.abc import Iterator
from typing import Any

from sync.config.forms import MappingSection
from sync.config.report import Change, FieldChange, shown
from sync.models import FieldMapping, Route, ValueMapping

Key = tuple[str, str]
"""What makes a row the same row: its field and when it is written."""


def replace(route: Route, direction: str, forms: list[MappingSection]) -> Iterator[Change]:
    """Create, change and remove rows until the direction holds what `forms` say, in their order."""
    rows = route.mappings.select_for_update().filter(direction=direction).prefetch_related("values")
    stored: dict[Key, FieldMapping] = {(row.to, row.when): row for row in rows}
    wanted: dict[Key, MappingSection] = {(section.to, section.when): section for section in forms}
    # removed first: a row that only changed the case of its field would clash with its successor
    for key in [key for key in stored if key not in wanted]:
        row = stored.pop(key)
        row.delete()
        yield Change("mapping", _name(row), "removed")
    positions = _positions(list(stored), [row.position for row in stored.values()], list(wanted))
    for (key, section), position in zip(wanted.items(), positions, strict=True):
        row = stored.get(key) or FieldMapping(route=route, direction=direction)
        yield _written(row, section.columns() | {"position": position}, section.values)


def _positions(stored: list[Key], numbers: list[int], wanted: list[Key]) -> list[int]:
    """Where each wanted row stands: staff's own numbers, as long as they already give the file's order."""
    if wanted[: len(stored)] == stored:
        last = max(numbers, default=-1)
        return numbers + [last + step for step in range(1, len(wanted) - len(stored) + 1)]
    return list(range(len(wanted)))


def _written(row: FieldMapping, columns: dict[str, Any], values: dict[str, str]) -> Change:
    is_new = row.pk is None
    differing = {name: value for name, value in columns.items() if is_new or getattr(row, name) != value}
    fields = [
        FieldChange(name, "" if is_new else shown(getattr(row, name)), shown(value))
        for name, value in differing.items()
        if not (is_new and name in ("position", "to"))
    ]
    for name, value in differing.items():
        setattr(row, name, value)
    if differing:
        row.save(update_fields=None if is_new else list(differing))
    fields += _values_written(row, values, is_new=is_new)
    outcome: Any = "created" if is_new else "changed" if fields else "unchanged"
    return Change(
        "mapping", _name(row), outcome, tuple(field for field in fields if field.before or field.after)
    )


def _values_written(row: FieldMapping, values: dict[str, str], *, is_new: bool) -> list[FieldChange]:
    stored = {} if is_new else {value.value: value for value in row.values.all()}
    changes = []
    for gone in [stored.pop(value) for value in list(stored) if value not in values]:
        gone.delete()
        changes.append(FieldChange(f"values.{gone.value}", gone.becomes, ""))
    for value, becomes in values.items():
        known = stored.get(value) or ValueMapping(mapping=row, value=value)
        if known.pk is not None and known.becomes == becomes:
            continue
        changes.append(FieldChange(f"values.{value}", known.becomes, becomes))
        known.becomes = becomes
        known.save()
    return changes


def _name(row: FieldMapping) -> str:
    when = "" if row.when == "always" else f" ({row.get_when_display()})"
    return f"{row.route.slug} {row.get_direction_display()} {row.to}{when}"
