"""What a mapping row may say, wherever it is written: in the admin, in the configuration file, in options."""

from __future__ import annotations

from sync.i18n import gettext as _
from sync.mapping.transform import has_lone_brace, value_key


def checked_text(text: str) -> str:
    """A text with {NAMES}; ValueError for a lone brace, which is most likely a slip of the hand."""
    if has_lone_brace(text):
        raise ValueError(_("a brace stands alone; write {{ or }} for a brace in the text"))
    return text


def checked_values(values: dict[str, str]) -> dict[str, str]:
    """A value list; ValueError for two spellings of one value, which would contradict each other."""
    spelled: dict[str, str] = {}
    for value in values:
        first = spelled.setdefault(value_key(value), value)
        if first != value:
            raise ValueError(_("“%(one)s” and “%(other)s” are one value") % {"one": first, "other": value})
    return values
