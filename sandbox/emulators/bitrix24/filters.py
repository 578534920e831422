"""Filters of list methods: operator prefixes, IN lists, OR groups.

https://apidocs.bitrix24.com/api-reference/crm/deals/crm-deal-list.html
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from sandbox.emulators.bitrix24.answers import invalid_argument
from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.params import as_list, as_map
from sandbox.emulators.bitrix24.table import Row, Table
from sandbox.emulators.bitrix24.values import REFERENCES, WHOLE_NUMBERS, is_empty, read_moment

Test = Callable[[Row], bool]
_KEY = re.compile(r"^(!=%|!%=|!@|!%|!=|!|>=|<=|>|<|@|=%|%=|%|=)?(.*)$", re.DOTALL)
# The old lists compare these exactly even when a substring is asked for.
_NEVER_LIKE = frozenset({"crm_status", "crm_contact", "crm_company"})
_NUMBERS = REFERENCES | WHOLE_NUMBERS | {"double"}
_RANGES = frozenset({">", "<", ">=", "<="})


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a filter: which field, how compared, with what."""

    field: Field
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter ready to test rows; `conditions` all hold, so an index may serve any of them."""

    conditions: list[Condition]
    tests: list[Test]

    def matches(self, row: Row) -> bool:
        """Whether the row passes every test."""
        return all(test(row) for test in self.tests)

    def without(self, hidden: set[int]) -> "Filter":
        """The same filter for someone who may not see these IDs."""
        if not hidden:
            return self
        return Filter(self.conditions, [lambda row: row["ID"] not in hidden, *self.tests])

    def candidates(self, table: Table) -> list[int]:
        """IDs, ascending, that can match at all: by ID or index where the filter allows, else every row."""
        for condition in self.conditions:
            found = _narrow(condition, table)
            if found is not None:
                return found
        return table.ids


def compile_filter(fields: Mapping[str, Field], raw: Any, *, zone: tzinfo, strict: bool) -> Filter:
    """Read a filter; unknown fields are refused when strict and silently dropped otherwise."""
    conditions: list[Condition] = []
    tests: list[Test] = []
    for key, value in as_map(raw).items():
        if strict and key.isdigit() and isinstance(value, dict | list):
            tests.append(_group(fields, as_map(value), zone=zone))
            continue
        condition = _condition(fields, key, value=value, strict=strict)
        test = condition and _test(condition, zone)
        if condition and test:
            conditions.append(condition)
            tests.append(test)
    return Filter(conditions, tests)


def split_key(key: str) -> tuple[str, str]:
    """`>=DATE_MODIFY` → (`>=`, `DATE_MODIFY`)."""
    match = _KEY.match(key.strip())
    return (match.group(1) or "", match.group(2)) if match else ("", key)


def _condition(fields: Mapping[str, Field], key: str, *, value: Any, strict: bool) -> Condition | None:
    operator, name = split_key(key)
    field = fields.get(name)
    if field is None:
        if strict:
            raise invalid_argument(f"Invalid filter: field '{name}' is not allowed in filter")
        return None
    if not strict and "%" in operator and field.kind in _NEVER_LIKE:
        operator = operator.replace("%", "").replace("==", "=")
    return Condition(field, operator, value)


def _group(fields: Mapping[str, Field], raw: dict[str, Any], *, zone: tzinfo) -> Test:
    is_or = str(raw.get("logic", "AND")).upper() == "OR"
    members = {key: value for key, value in raw.items() if key.lower() != "logic"}
    if not is_or:
        return compile_filter(fields, members, zone=zone, strict=True).matches
    parts = [
        compile_filter(fields, value if key.isdigit() else {key: value}, zone=zone, strict=True)
        for key, value in members.items()
    ]
    return lambda row: any(part.matches(row) for part in parts)


def _narrow(condition: Condition, table: Table) -> list[int] | None:
    is_id = condition.field.name == "ID"
    if condition.operator in {"", "=", "@"}:
        wanted = [str(one) for one in as_list(condition.value)]
        if is_id:
            return sorted({int(one) for one in wanted if one.isdigit() and int(one) in table.rows})
        found = [table.lookup(condition.field.name, one) for one in wanted if one]
        if found and None not in found and len(found) == len(wanted):
            return sorted({row_id for ids in found if ids for row_id in ids})
    if is_id and condition.operator in _RANGES and str(condition.value).isdigit():
        return _slice(table.ids, condition.operator, bound=int(condition.value))
    return None


def _slice(ids: list[int], operator: str, *, bound: int) -> list[int]:
    if operator == ">":
        return ids[bisect_right(ids, bound) :]
    if operator == ">=":
        return ids[bisect_left(ids, bound) :]
    return ids[: bisect_left(ids, bound)] if operator == "<" else ids[: bisect_right(ids, bound)]


def _test(condition: Condition, zone: tzinfo) -> Test | None:
    """A test of one row, or None when the wanted value makes no sense (the portal then ignores the key)."""
    operator = condition.operator
    negated = operator.startswith("!")
    core = operator.removeprefix("!")
    check = _check(condition.field, core, wanted=condition.value, zone=zone)
    if check is None:
        return None
    name = condition.field.name

    def test(row: Row) -> bool:
        value = row.get(name)
        values = value if isinstance(value, list) else [value]
        return any(check(one) for one in values or [None]) != negated

    return test


def _check(field: Field, core: str, *, wanted: Any, zone: tzinfo) -> Callable[[Any], bool] | None:
    if core in _RANGES:
        return _range_check(field, core, wanted=wanted, zone=zone)
    if "%" in core:
        return _like_check(core, str(wanted))
    members = as_list(wanted) if isinstance(wanted, list | dict) or core == "@" else [wanted]
    folded = {_or_none(fold(field, one, zone=zone)) for one in members}
    if None in folded and field.kind in {"date", "datetime"} and any(members):
        return None
    return lambda value: _or_none(fold(field, value, zone=zone)) in folded


def _range_check(field: Field, core: str, *, wanted: Any, zone: tzinfo) -> Callable[[Any], bool] | None:
    bound = fold(field, wanted, zone=zone)
    if bound is None:
        return None

    def check(value: Any) -> bool:
        folded = fold(field, value, zone=zone)
        if folded is None:
            return False
        if core == ">":
            return bool(folded > bound)
        if core == "<":
            return bool(folded < bound)
        return bool(folded >= bound) if core == ">=" else bool(folded <= bound)

    return check


def _like_check(core: str, wanted: str) -> Callable[[Any], bool]:
    if core == "%":
        part = wanted.casefold()
        return lambda value: part in text_of(value).casefold()
    pattern = re.compile(
        "".join(".*" if one == "%" else re.escape(one) for one in wanted), re.IGNORECASE | re.DOTALL
    )
    return lambda value: pattern.fullmatch(text_of(value)) is not None


def text_of(value: Any) -> str:
    """A kept value as text; a multifield by its VALUE."""
    if isinstance(value, dict):
        return str(value.get("VALUE", ""))
    return "" if value is None else str(value)


def fold(field: Field, value: Any, *, zone: tzinfo) -> Any:
    """A value in the form that compares: numbers, moments, lower-case text; None when empty."""
    if is_empty(value):
        return None
    if field.kind in {"date", "datetime"}:
        return _fold_moment(value, zone, is_date=field.kind == "date")
    if field.kind in _NUMBERS:
        return _fold_number(value)
    if field.kind == "boolean":
        return str(value).upper() in {"Y", "1", "TRUE"} or None
    return text_of(value).casefold()


def _or_none(folded: Any) -> Any:
    """In equality nought and nothing are one: a deal without a company has company 0."""
    return None if folded == 0 else folded


def _fold_number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _fold_moment(value: Any, zone: tzinfo, *, is_date: bool) -> Any:
    if isinstance(value, date):
        return value
    moment = read_moment(value, zone)
    return moment.astimezone(zone).date() if moment and is_date else moment
