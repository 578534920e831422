"""What a key of the file may hold, as the model's column says it: lengths, bounds, choices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator, slug_re
from django.db.models import Field as Column
from django.db.models import Model, SlugField
from django.utils.translation import gettext as _
from pydantic import AfterValidator, Field, StringConstraints
from pydantic.fields import FieldInfo


def text_of(model: type[Model], name: str, **more: Any) -> StringConstraints:
    """A text no longer than the column; latin letters, digits and dashes only where it is a slug."""
    column = _column(model, name)
    pattern = slug_re.pattern.replace(r"\Z", "$") if isinstance(column, SlugField) else None
    return StringConstraints(max_length=column.max_length, pattern=pattern, **more)


def number_of(model: type[Model], name: str, **more: Any) -> FieldInfo:
    """A number within the bounds of the column."""
    validators = _column(model, name).validators
    least = max(_bounds(validators, MinValueValidator), default=None)
    most = min(_bounds(validators, MaxValueValidator), default=None)
    bounded: FieldInfo = Field(ge=least, le=most, **more)
    return bounded


def one_of(words: Iterable[str]) -> AfterValidator:
    """One of these words."""

    def check(word: str) -> str:
        if word not in words:
            raise ValueError(_("must be one of: %(known)s") % {"known": ", ".join(words)})
        return word

    return AfterValidator(check)


def _column(model: type[Model], name: str) -> Column[Any, Any]:
    return cast("Column[Any, Any]", model._meta.get_field(name))


def _bounds(validators: Iterable[Any], kind: type[BaseValidator]) -> list[Any]:
    return [validator.limit_value for validator in validators if isinstance(validator, kind)]
