"""The house rules as tests: who imports whom, how long files and functions are, which names are too vague."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import distribution
from importlib.util import resolve_name
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
MAX_LOOSE_MODULES = 6
MAX_FILE = 250
MAX_FUNCTION = 40
VAGUE_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "services",
    "service",
    "manager",
    "managers",
    "misc",
}

LAYERS = "Imports go down only"
CONNECTORS = "No connector knows another"
FLOWS = "No flow knows another"
PURE = "What takes values needs neither Django nor rows"
SANDBOX = "Production knows nothing of the sandbox"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the code in a folder."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of our code and its contracts, to be broken."""
    code = shutil.ignore_patterns("__pycache__", "*.mo", "*.po", "static")
    for package in ("sync", "sandbox"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=code)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_imports_go_down_only() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("inbox/receive.py", "from sync import engine", LAYERS),
        ("models/job.py", "from sync.connectors import types", LAYERS),
        ("unplaced.py", "", LAYERS),
        ("connectors/other/__init__.py", "from sync.connectors.bitrix24 import client", CONNECTORS),
        ("flows/other/__init__.py", "from sync.flows.deals import options", FLOWS),
        ("mapping/transform.py", "from django.conf import settings", PURE),
        ("connectors/bitrix24/client.py", "import django", PURE),
        ("api/webhooks.py", "import sandbox.emulators", SANDBOX),
    ],
)
def test_an_import_upwards_fails(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / "sync" / module
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint_imports(copy)
    assert done.returncode == 1, done.stdout
    assert f"{contract} BROKEN" in done.stdout


def our_modules(folder: Path) -> dict[str, Path]:
    """The modules of both apps by their dotted names."""
    paths = [path for app in ("sync", "sandbox") for path in (folder / app).rglob("*.py")]
    names = [".".join(path.relative_to(folder).with_suffix("").parts) for path in paths]
    return dict(zip((name.removesuffix(".__init__") for name in names), paths, strict=True))


def imports_of(name: str, path: Path, known: set[str]) -> set[str]:
    """Which of our modules a module imports, wherever: at its top, in functions, for types only."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            found |= {full if (full := f"{source}.{alias.name}") in known else source for alias in node.names}
    return found & known


def circle_of_imports(folder: Path) -> list[str]:
    """Modules that import each other, the first also last; nothing when there are none."""
    modules = our_modules(folder)
    graph = {name: imports_of(name, path, set(modules)) for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_not_even_for_types() -> None:
    assert circle_of_imports(ROOT) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("sync/models/job_queryset.py", "from sync.models.job import Job"),
        ("sync/models/job_queryset.py", "if TYPE_CHECKING:\n    from sync.models.job import Job"),
        ("sync/models/job_queryset.py", "def late():\n    import sync.models.job"),
        ("sync/models/job_queryset.py", "from .job import Job"),
        ("sync/models/job_queryset.py", "from sync.models import Job"),
        ("sandbox/emulators/bitrix24/state.py", "from sandbox.emulators.bitrix24 import portal"),
    ],
)
def test_a_circle_of_imports_is_found(copy: Path, module: str, line: str) -> None:
    with (copy / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    name = module.removesuffix(".py").replace("/", ".")
    assert name in circle_of_imports(copy)


def loose_modules(folder: Path) -> list[str]:
    """Modules that stand in no package of a topic."""
    return sorted(path.name for path in (folder / "sync").glob("*.py") if path.name != "__init__.py")


def test_modules_stand_in_packages_of_their_topics() -> None:
    assert len(loose_modules(ROOT)) <= MAX_LOOSE_MODULES


def test_one_more_loose_module_is_noticed(copy: Path) -> None:
    before = loose_modules(copy)
    (copy / "sync" / "another.py").touch()
    assert loose_modules(copy) == sorted([*before, "another.py"])


def sources() -> list[Path]:
    """Our Python files, without migrations."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [Path(name) for name in listed.stdout.split("\n") if name]
    return [one for one in files if "migrations" not in one.parts and (ROOT / one).exists()]


def over_limits(path: Path, text: str) -> list[str]:
    """What is too long in a file, and whether its name is too vague."""
    found = []
    if path.stem in VAGUE_NAMES:
        found.append(f"{path}: a vague name; name the step or the topic")
    if "tests" in path.parts:
        return found
    if (lines := text.count("\n")) > MAX_FILE:
        found.append(f"{path}: {lines} lines")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > MAX_FUNCTION:
                found.append(f"{path}:{node.lineno} {node.name}: {length} lines")
    return found


def test_files_and_functions_are_short_and_named_for_what_they_do() -> None:
    found = [
        breach
        for path in sources()
        for breach in over_limits(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sync/utils.py", ""),
        ("sync/long.py", "\n" * (MAX_FILE + 1)),
        ("sync/deep.py", "def act():\n" + "    pass\n" * MAX_FUNCTION),
    ],
)
def test_a_breach_of_the_limits_is_found(name: str, text: str) -> None:
    assert len(over_limits(Path(name), text)) == 1


def pinned(name: str) -> set[str]:
    """The packages that a requirements file and its includes pin; every line must pin one."""
    found: set[str] = set()
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= pinned(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            requirement = Requirement(line)
            assert str(requirement.specifier).startswith("=="), line
            found.add(canonicalize_name(requirement.name))
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_all_that_packages_bring_along_is_pinned(name: str) -> None:
    names = pinned(name)
    unpinned = {
        f"{package} needs {needed.name}"
        for package in names - {"async-timeout"}
        for needed in map(Requirement, distribution(package).requires or [])
        if (needed.marker is None or needed.marker.evaluate({"extra": ""}))
        and canonicalize_name(needed.name) not in names
    }
    assert unpinned == set()


def test_every_chosen_package_is_explained() -> None:
    chosen = {
        Requirement(line).name
        for name in ("requirements.txt", "requirements-dev.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").split("# Brought by")[0].splitlines()
        if line and line[0] not in "#-"
    }
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert {name for name in chosen if f"| {name} |" not in explained} == set()
