"""What an answer must look like to be believed.

An answer of another shape is never read as "nothing found": a deal that seems missing would be created twice.
"""

from collections.abc import Mapping
from typing import Any

from sync.errors import OutcomeUnknown, TryLater
from sync.i18n import gettext as _

Row = Mapping[str, Any]


def rows_of(value: Any, key: str = "") -> list[Row]:
    """The rows of a list answer, under `key` or bare; TryLater for any other shape."""
    rows = map_of(value).get(key) if key else value
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise unexpected(_("a list"), rows)
    return rows


def map_of(value: Any) -> Row:
    """An object; TryLater for anything else."""
    if not isinstance(value, Mapping):
        raise unexpected(_("an object"), value)
    return value


def php_map(value: Any) -> Row:
    """An object, where PHP sends [] for an empty one."""
    return {} if value == [] else map_of(value)


def unexpected(wanted: str, got: Any) -> TryLater:
    """The error for an answer of another shape."""
    return TryLater(
        _(
            "The portal's answer has an unexpected shape: %(wanted)s was expected, not %(got)s. If it lasts, "
            "Bitrix24 has changed this method."
        )
        % {"wanted": wanted, "got": type(got).__name__},
        code="SHAPE",
    )


def added_id(value: Any) -> str:
    """The ID in an answer to an add: `{"item": {"id": 5}}`, `{"id": 5}` or 5; OutcomeUnknown without one."""
    inner = value.get("item", value) if isinstance(value, Mapping) else value
    found = inner.get("id") if isinstance(inner, Mapping) else inner
    text = "" if isinstance(found, bool) else str(found)
    if text.isdecimal() and int(text):
        return text
    error = OutcomeUnknown(
        _("The portal's answer to an add holds no ID; we look for the record."), code="SHAPE"
    )
    error.is_portal_wide = False
    raise error
