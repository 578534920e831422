"""`make run`: Ctrl-C asks web and worker once; asked twice, a worker drops the requests under way."""

from __future__ import annotations

import os
import pty
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "deploy" / "setup" / "run.sh"
STAND_IN = """#!{python}
import pathlib, signal, sys, time
heard = pathlib.Path("heard-" + sys.argv[1].strip("-"))
def note(number, _frame):
    with heard.open("a") as file:
        file.write(signal.Signals(number).name + " ")
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, note)
heard.touch()
{life}
"""
UNTIL_ASKED = """while not heard.read_text():
    time.sleep(0.05)
time.sleep(0.5)"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    return tmp_path


def put_python(folder: Path, life: str) -> None:
    python = folder / ".venv" / "bin" / "python"
    python.write_text(STAND_IN.format(python=sys.executable, life=life))
    python.chmod(0o755)


def start(folder: Path) -> tuple[int, int]:
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execv("/bin/sh", ["sh", str(SCRIPT)])
    return pid, terminal


def heard(folder: Path) -> list[str]:
    return sorted(f"{path.name} {path.read_text()}".strip() for path in folder.glob("heard-*"))


def test_ctrl_c_asks_each_once(folder: Path) -> None:
    put_python(folder, UNTIL_ASKED)
    pid, terminal = start(folder)
    ends = time.monotonic() + 20
    while len(heard(folder)) < 2 and time.monotonic() < ends:
        time.sleep(0.05)
    os.write(terminal, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert heard(folder) == ["heard-m SIGTERM", "heard-manage.py SIGTERM"]
    os.close(terminal)


def test_when_one_ends_the_other_is_asked_to(folder: Path) -> None:
    put_python(folder, f'if sys.argv[1] != "-m":\n    {UNTIL_ASKED.replace(chr(10), chr(10) + "    ")}')
    pid, terminal = start(folder)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert heard(folder) == ["heard-m", "heard-manage.py SIGTERM"]
    os.close(terminal)
