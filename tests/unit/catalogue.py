"""Reading gettext's source files: enough of the format for catalogues that makemessages writes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

LOCALE = Path(__file__).parents[2] / "sync" / "locale"
LANGUAGES = ("ru", "en")

_LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr)(?:\[(\d)\])? )?(".*")')


@dataclass
class Entry:
    """One message: its texts by keyword (`msgid`, `msgid_plural`, …), its forms by number."""

    texts: dict[str, str] = field(default_factory=dict)
    forms: dict[int, str] = field(default_factory=dict)
    flags: str = ""

    @property
    def key(self) -> str:
        """What a compiled catalogue looks it up by."""
        context = self.texts.get("msgctxt")
        return self.texts["msgid"] if context is None else f"{context}\x04{self.texts['msgid']}"


def entries(language: str) -> list[Entry]:
    """All messages of a language but the header, which has an empty msgid."""
    source = (LOCALE / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    found = [_entry(block) for block in source.split("\n\n")]
    return [entry for entry in found if entry.texts.get("msgid")]


def _entry(block: str) -> Entry:
    entry = Entry()
    word, number = "", 0
    for line in block.splitlines():
        if line.startswith("#,"):
            entry.flags += line
        match = None if line.startswith("#") else _LINE.fullmatch(line)
        if match is None:
            continue
        if match[1]:
            word, number = match[1], int(match[2] or 0)
        text = ast.literal_eval(match[3])
        if word == "msgstr":
            entry.forms[number] = entry.forms.get(number, "") + text
        else:
            entry.texts[word] = entry.texts.get(word, "") + text
    return entry
