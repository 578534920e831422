"""The code of a page, run as it stands there: what a page teaches is what works."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).resolve().parent.parent / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language, in order."""
    text = (DOCS / page).read_text("utf-8")
    return [code for found, code in BLOCK.findall(text) if found == language]


def files_of(page: str) -> dict[str, str]:
    """The files that a page builds: their path below `sync/`, which the first line names, → their text."""
    blocks = (block.partition("\n") for block in blocks_of(page, "python"))
    return {head.removeprefix("# "): text for head, _, text in blocks}


@contextmanager
def built(page: str, folder: Path) -> Iterator[ModuleType]:
    """The package that a page builds, as if its folder stood in `sync/`; gone again afterwards."""
    files = files_of(page)
    for name, text in files.items():
        if name.endswith(".py"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    layer, package = next(iter(files)).split("/")[:2]
    name = f"sync.{layer}.{package}"
    parent = importlib.import_module(f"sync.{layer}")
    parent.__path__.append(str(folder / layer))
    try:
        yield importlib.import_module(name)
    finally:
        parent.__path__.remove(str(folder / layer))
        for module in [one for one in sys.modules if one == name or one.startswith(f"{name}.")]:
            del sys.modules[module]
        vars(parent).pop(package, None)


def registered(page: str, module: ModuleType) -> dict[str, object]:
    """The registry line of a page as a dict: name → what it registers."""
    line = files_of(page)["registry"].strip()
    assert line.endswith(","), "it is a line of a dict"
    scope = {module.__name__.rpartition(".")[2]: module}
    found: dict[str, object] = eval(f"{{{line}}}", scope)  # the text of our own page
    return found
