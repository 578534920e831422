"""The files that the Dockerfile copies run on their own, without the sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def copied() -> list[tuple[str, str]]:
    """(from, to) of what the last stage of the image takes out of the checkout."""
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    lines = [line.split() for line in last_stage.splitlines() if line.startswith("COPY ")]
    return [(source, target) for _, source, target in (line for line in lines if "--from=build" not in line)]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the image holds, and nothing else."""
    folder = tmp_path_factory.mktemp("production")
    for source, target in copied():
        path = folder / (source if target == "./" else target)
        path.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, path, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(ROOT / source, path)
    (folder / "var").mkdir()
    return folder


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "only-for-this-test",
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_what_is_copied_is_not_ignored() -> None:
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    assert {source for source, _ in copied()} | {"requirements.txt"} == kept


def test_production_runs_without_the_sandbox(production: Path) -> None:
    assert not (production / "sandbox").exists()
    done = manage(production, "check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["emulate", "demo", "bench"])
def test_a_command_of_the_sandbox_says_how_to_get_it(production: Path, command: str) -> None:
    done = manage(production, command)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"`manage.py {command}`" in done.stderr
    assert "checkout of the source" in done.stderr


def test_a_checkout_has_the_commands_of_the_sandbox() -> None:
    done = manage(ROOT, "emulate", "bitrix24", "--help")
    assert (done.returncode, "--bucket-size" in done.stdout) == (0, True)
