"""Column kinds: a portal's text as a database takes it, and what a database gives as the same. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date
from decimal import Decimal, DecimalException
from typing import Any

from django.utils.dateparse import parse_datetime

YES = {"Y", "1", "TRUE", "ON"}

Value = str | int | Decimal | None


def shaped(kind: str, value: Any) -> Value:
    """A value of a column of this kind, equal for what is equal; ValueError when it is none.

    Empty is "" in a text column and None in any other.
    """
    text = "" if value is None else str(value).strip()
    if kind == "text" or not text:
        return text if kind == "text" else None
    try:
        return SHAPES[kind](text)
    except DecimalException as error:
        raise ValueError(text) from error


def _whole(text: str) -> Value:
    if text.upper() in ("Y", "N", "TRUE", "FALSE"):  # MySQL's yes/no columns are small numbers
        return _flag(text)
    number = Decimal(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)


def _number(text: str) -> Value:
    return Decimal(text).normalize()


def _flag(text: str) -> Value:
    return int(text.upper() in YES)


def _day(text: str) -> Value:
    moment = parse_datetime(text)
    if moment is None:
        return date.fromisoformat(text).isoformat()
    # a day comes as its midnight plus the portal's own offset, so that UTC has the right date
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat()


def _moment(text: str) -> Value:
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(text)
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%Y-%m-%d %H:%M:%S")


SHAPES: dict[str, Callable[[str], Value]] = {
    "whole": _whole,
    "number": _number,
    "flag": _flag,
    "day": _day,
    "moment": _moment,
}

KIND_OF: dict[str, str] = {
    "AutoField": "whole",
    "BigAutoField": "whole",
    "SmallAutoField": "whole",
    "IntegerField": "whole",
    "BigIntegerField": "whole",
    "SmallIntegerField": "whole",
    "PositiveIntegerField": "whole",
    "PositiveBigIntegerField": "whole",
    "PositiveSmallIntegerField": "whole",
    "BooleanField": "flag",
    "DecimalField": "number",
    "FloatField": "number",
    "DateField": "day",
    "DateTimeField": "moment",
}
"""Django's word for a column, as introspection gives it → our kind; all others are texts."""
