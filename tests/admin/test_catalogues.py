"""The catalogues of both languages are complete and compiled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LOCALE = Path(__file__).parents[2] / "sync" / "locale"


@pytest.mark.parametrize("language", ["ru", "en"])
def test_catalogue_has_no_gaps(language: str) -> None:
    text = (LOCALE / language / "LC_MESSAGES" / "django.po").read_text()
    entries = text.split("\n\n")[1:]
    empty = [entry for entry in entries if re.search(r'^msgstr(\[\d\])? ""$(?!\n")', entry, re.MULTILINE)]
    assert not [entry for entry in empty if not entry.startswith("#~")]
    assert "#, fuzzy" not in text


@pytest.mark.parametrize("language", ["ru", "en"])
def test_catalogue_is_compiled(language: str) -> None:
    folder = LOCALE / language / "LC_MESSAGES"
    count = (folder / "django.po").read_text().count("\nmsgid ")
    compiled = int.from_bytes((folder / "django.mo").read_bytes()[8:12], "little")
    assert compiled == count, "run manage.py compilemessages"
