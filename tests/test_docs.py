"""What the pages say is there: links, paths, commands, tests; and the words are those of the glossary."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BESIDE_PAGES = [
    "Makefile",
    "compose.yaml",
    "Dockerfile",
    ".env.example",
    "deploy",
    "examples",
    "interconnector",
]

LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(#[^)\s]*)?\)")
SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TOP = "sync|sandbox|tests|interconnector|deploy|examples|docs|templates"
CODE_PATH = re.compile(rf"(?<![\w./-])(?:{TOP})/[\w./*-]*")
TEST_NAME = re.compile(r"\btest_\w+(?![\w./])")
OLD_WORDS = re.compile(
    r"\b(bells?|doorbells?|rung|rings?|ringing|rang|pulse|board|underway|errands?|cargo|verdicts?|rulings?|judged?|heard"
    r"|hears?|(?<!:)guests?(?![:@])|furniture|tempo|standings?|tally|outlook|traces|twins?|homeward|counterparts?|tickets?|replays?"
    r"|rehearsals?|stand-ins?)\b",
    re.IGNORECASE,
)


def missing_links(page: Path, text: str) -> list[str]:
    """Relative links that lead nowhere, anchors included."""
    found = []
    for target, anchor in LINK.findall(FENCE.sub("", text)):
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and anchor[1:] not in anchors(path.read_text("utf-8"))):
            found.append(f"{target}{anchor}")
    return found


def anchors(text: str) -> set[str]:
    """The names that the headings of a page can be linked by."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_of(text: str) -> list[str]:
    """What stands between backticks; of Kubernetes' lines nothing, whose names look like paths."""
    fenced = [line for block in FENCE.findall(text) for line in block.splitlines() if "kubectl" not in line]
    return [*SPAN.findall(FENCE.sub("", text)), *fenced]


def missing_paths(text: str) -> list[str]:
    """Code paths that do not exist; of a path with a placeholder the folder before it counts."""
    found = []
    for code in code_of(text):
        for path in CODE_PATH.findall(code):
            name = path.rstrip(".")
            if not (any(ROOT.glob(name)) if "*" in name else (ROOT / name).exists()):
                found.append(name)
    return found


def missing_tests(text: str) -> list[str]:
    """Tests named on a page that are no more."""
    known = names_of_tests()
    return [name for code in code_of(text) for name in TEST_NAME.findall(code) if name not in known]


def names_of_tests() -> set[str]:
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    return {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}


def missing_commands(text: str) -> list[str]:
    """`manage.py NAME` and `make TARGET` that are no more."""
    found = [name for name in re.findall(r"manage\.py ([a-z_]+)", text) if name not in get_commands()]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for code in code_of(text):
        for words in re.findall(r"(?:^|&& |sudo )make ((?:[a-z][a-z-]*(?: |$))+)", code.split("#")[0]):
            found += [name for name in words.split() if name not in targets]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    assert missing_links(page, text) == []
    assert missing_paths(text) == []
    assert missing_tests(text) == []
    assert missing_commands(text) == []


def test_what_is_not_there_is_found() -> None:
    page = ROOT / "docs" / "architecture.md"
    assert missing_links(page, "[a](gone.md) [b](leads.md#gone) [c](#gone) [d](leads.md)") == [
        "gone.md",
        "leads.md#gone",
        "#gone",
    ]
    assert missing_paths(
        "`sync/gone.py`, `sync/gone/<name>/`, `sync/flows/<name>/`\n```sh\ncp deploy/gone/*.x /etc/\n```\n"
    ) == [
        "sync/gone.py",
        "sync/gone/",
        "deploy/gone/*.x",
    ]
    assert missing_tests("`test_that_is_gone`") == ["test_that_is_gone"]
    assert missing_commands("manage.py gone and `git pull && make gone`") == ["gone", "gone"]


CODE = ("sync", "sandbox", "tests", "templates", "manage.py")
OF_OLD_VERSIONS = ("sync/migrations/", "tests/upgrade/", "tests/test_docs.py")
"""Where the old words are meant: what migrations move, what an old installation is made of."""


def texts() -> list[str]:
    """The pages, what operators read beside them, and the code."""
    names = [*(str(page.relative_to(ROOT)) for page in PAGES), *BESIDE_PAGES, *CODE]
    done = subprocess.run(["git", "ls-files", *names], cwd=ROOT, capture_output=True, text=True, check=True)
    binary = (".png", ".mo", ".gz")
    return [
        name
        for name in done.stdout.split()
        if not name.endswith(binary) and not name.startswith(OF_OLD_VERSIONS)
    ]


def test_no_text_uses_a_word_that_was_given_up() -> None:
    found = [
        f"{name}: {match.group()}"
        for name in texts()
        for match in OLD_WORDS.finditer((ROOT / name).read_text("utf-8"))
    ]
    assert found == []


def steps_of(heading: str) -> list[str]:
    """The files of a numbered walk on the architecture's page, in order."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)


def test_a_webhook_walks_four_files_at_most() -> None:
    assert 1 <= len(steps_of("The walk of a webhook")) <= 4


def test_a_request_walks_five_files_of_one_package_at_most() -> None:
    walk = steps_of("The walk of one request")
    assert 1 <= len(walk) <= 5
    assert {str(Path(step).parent) for step in walk} == {"sync/engine"}


def test_every_package_has_its_line_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    layout = text.split("## Layout\n")[1].split("\n## ")[0]
    listed = subprocess.run(
        ["git", "ls-files", "sync/*/*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    packages = {"/".join(name.split("/")[:2]) for name in listed.stdout.split()}
    assert {name for name in packages if f"`{name}/`" not in layout} <= {
        "sync/migrations",
        "sync/templatetags",
    }


def test_five_words_are_our_own() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    ours = text.split("Five words are our own:")[1].split("The rest are the field's:")[0]
    words = re.findall(r"^\| (\w+) \|", ours, re.MULTILINE)
    assert words[1:] == ["Parcel", "Lane", "Slot", "Pace", "fold"]
