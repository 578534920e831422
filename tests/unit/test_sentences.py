"""Every sentence that staff read is in the catalogue, and every message of it is translated."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from sync import i18n
from sync.connectors.bitrix24.errors import VendorError, error_of
from tests.unit.catalogue import LANGUAGES, LOCALE, entries

ROOT = Path(__file__).parents[2] / "sync"
PACKAGES_WITH_REASONS = (
    "connectors", "flows", "mapping", "gateway", "engine", "inbox",
)  # fmt: skip
"""The packages that give jobs, attempts, events and portals their reasons."""

HAS_REASON = frozenset(
    {
        "SyncError", "TryLater", "Throttled", "PortalAway", "NotYet", "OutcomeUnknown", "NeedsStaff",
        "Refused", "Skip", "Ignored", "Next", "Done", "JobChange", "_waiting", "_ended",
    }
)  # fmt: skip
"""Calls whose arguments are sentences for staff."""

MARKS = frozenset(
    {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
)
NOT_FOR_STAFF = frozenset(
    {
        "WebhookRejected",
        "Malformed",
        "ValueError",
        "LookupError",
        "debug",
        "info",
        "warning",
        "error",
        "exception",
    }
)
"""Calls whose sentences stay English: senders and developers read them."""

OTHER_WORDS = {"code", "step", "portal", "method"}
"""Keywords that hold no sentence."""

_PLACE = re.compile(r"%\(\w+\)[.0-9]*[a-z]|%[sdg]|\{\w+\}")


def python_files(names: tuple[str, ...]) -> Iterator[Path]:
    """The Python files of these packages."""
    for name in names:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def name_of(call: ast.Call) -> str:
    """The name of the called function."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def bare_sentences(node: ast.AST) -> Iterator[str]:
    """Texts of two words or more under the node that are not marked for translation."""
    if isinstance(node, ast.Call) and name_of(node) in MARKS:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\w \w", node.value):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from bare_sentences(child)


def docstrings(tree: ast.Module) -> set[int]:
    """The IDs of the nodes that are docstrings."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def loose_sentences(node: ast.AST, skipped: set[int]) -> Iterator[ast.Constant]:
    """Texts of four words or more that are not marked, and are not for developers or senders."""
    if isinstance(node, ast.Call) and name_of(node) in MARKS | NOT_FOR_STAFF:
        return
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped
    if is_text and re.search(r"(?:\w*[a-z]\w* ){3}\w", node.value):  # type: ignore[attr-defined]
        yield node  # type: ignore[misc]
    for child in ast.iter_child_nodes(node):
        yield from loose_sentences(child, skipped)


def is_untranslatable(node: ast.expr) -> bool:
    """Whether the argument is a text that gettext cannot translate."""
    if isinstance(node, ast.JoinedStr):
        return True
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return (is_text and " " in node.value) or any(bare_sentences(node))  # type: ignore[attr-defined]


def test_no_reason_is_written_in_one_language_only() -> None:
    bare = []
    for path in python_files(PACKAGES_WITH_REASONS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and name_of(node) in HAS_REASON:
                texts = [*node.args, *(word.value for word in node.keywords if word.arg not in OTHER_WORDS)]
                bare += [
                    f"{path.relative_to(ROOT)}:{text.lineno}" for text in texts if is_untranslatable(text)
                ]
    assert not bare, "mark these with gettext"


def test_no_table_or_constant_holds_an_unmarked_sentence() -> None:
    loose = []
    for path in python_files(PACKAGES_WITH_REASONS):
        tree = ast.parse(path.read_text())
        for text in loose_sentences(tree, docstrings(tree)):
            loose.append(f"{path.relative_to(ROOT)}:{text.lineno}: {text.value}")
    assert not loose, "mark these with gettext or gettext_noop"


def test_every_marked_sentence_is_in_the_catalogue() -> None:
    known = {entry.texts["msgid"] for entry in entries("ru")}
    missing = []
    for path in python_files((".",)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and name_of(node) in MARKS and node.args:
                text = node.args[1] if name_of(node).startswith("pgettext") else node.args[0]
                if isinstance(text, ast.Constant) and text.value and text.value not in known:
                    missing.append(f"{path.relative_to(ROOT)}:{node.lineno}: {text.value}")
    assert not missing, "run makemessages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    forms = {"ru": 3, "en": 2}[language]
    left = [
        entry.key
        for entry in entries(language)
        if "fuzzy" in entry.flags
        or not all(entry.forms.values())
        or len(entry.forms) != (forms if "msgid_plural" in entry.texts else 1)
    ]
    assert not left


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_places(language: str) -> None:
    """A lost %(place)s loses a fact; an invented one is an error when it is filled."""
    torn = []
    for entry in entries(language):
        wanted = {place[0] for place in _PLACE.finditer(entry.texts["msgid"])}
        plural = {place[0] for place in _PLACE.finditer(entry.texts.get("msgid_plural", ""))}
        for form in entry.forms.values():
            found = {place[0] for place in _PLACE.finditer(form)}
            if found not in (wanted, plural):
                torn.append(entry.key)
    assert not torn


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_up_to_date(language: str) -> None:
    with (LOCALE / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # it has no reader
    wanted: dict[object, str] = {}
    for entry in entries(language):
        if "msgid_plural" in entry.texts:
            wanted |= {(entry.key, number): form for number, form in entry.forms.items()}
        else:
            wanted[entry.key] = entry.forms[0]
    compiled.pop("", None)
    assert compiled == wanted, "run compilemessages"


def test_pure_modules_use_the_language_of_the_installation() -> None:
    error = VendorError("source", "crm.item.add", 403, code="ACCESS_DENIED", description="Access denied")
    assert error_of(error).message.endswith("then press Retry.")
    with translation.override("ru"):
        message = error_of(error).message
    assert message.startswith("source: crm.item.add: Access denied (ACCESS_DENIED). Дайте владельцу вебхука")
    assert message.endswith("нажмите «Повторить».")


def test_a_sentence_of_nothing_stays_nothing() -> None:
    """gettext("") would be the header of the catalogue."""
    assert i18n.gettext("") == ""
