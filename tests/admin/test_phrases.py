"""Reasons are stored in English and read in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from sync.admin.phrases import SENTENCES, spoken

ROOT = Path(__file__).parents[2] / "sync"
SPOKEN_BY = (
    "flows/deals",
    "connectors/bitrix24",
    "engine.py",
    "carrying.py",
    "calling.py",
    "inbox.py",
    "transform.py",
)
ERRORS = {
    "NeedsStaff", "Refused", "TryLater", "Throttled", "PortalAway", "OutcomeUnknown", "NotYet", "Ruling",
    "Skip", "Ignored", "Next",
}  # fmt: skip


def files() -> Iterator[Path]:
    for name in SPOKEN_BY:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def sentences_of(path: Path) -> Iterator[str]:
    """Texts that the file gives to our errors and outcomes, with {} for what changes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                if text := text_of(argument):
                    yield text


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def said_in(language: str, text: str) -> str:
    with translation.override(language):
        return spoken(text)


def test_every_reason_can_be_said_in_russian() -> None:
    foreign = []
    for path in files():
        for text in sentences_of(path):
            said = said_in("ru", text.replace("{}", "77"))
            if len(re.findall(r"\b[a-z]{2,}\b", re.sub(r"https?:\S*|[\w.]*\d[\w.]*", "", said))) > 3:
                foreign.append(f"{path.relative_to(ROOT)}: {text}")
    assert not foreign, "Add these sentences to sync/admin/phrases.py and to the Russian catalogue"


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_is_translated_with_its_places(sentence: str) -> None:
    places = set(re.findall(r"\{\d\}", sentence))
    with translation.override("ru"):
        said = translation.gettext(sentence)
    assert said != sentence
    assert set(re.findall(r"\{\d\}", said)) == places


def test_values_keep_their_places() -> None:
    text = (
        'Route a-b, deal 7 of x.bitrix24.ru: the value "new. one" of webhook parameter "segment" is not in '
        'the value list of "UF_1". Add it there, or choose what becomes of unknown values, then press Retry.'
    )
    assert said_in("ru", text).startswith(
        "Маршрут a-b, сделка 7 портала «x.bitrix24.ru»: значения «new. one» (параметр вебхука «segment») нет"
    )
    assert said_in("en", text) == text


def test_host_with_points_stays_whole() -> None:
    text = "The deal linked with 7 is no longer on x.bitrix24.ru. Other words."
    assert said_in("ru", text) == "Сделки, связанной с 7, больше нет на портале «x.bitrix24.ru». Other words."
