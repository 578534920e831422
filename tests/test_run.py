"""`make run`: Ctrl-C asks web and worker to stop once; asked twice, a worker drops its running requests."""

from __future__ import annotations

import os
import pty
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "deploy" / "setup" / "run.sh"
FAKE_PYTHON = """#!{python}
import pathlib, signal, sys, time
signals = pathlib.Path("signals-" + sys.argv[1].strip("-"))
def note(number, _frame):
    with signals.open("a") as file:
        file.write(signal.Signals(number).name + " ")
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, note)
signals.touch()
{life}
"""
UNTIL_ASKED = """while not signals.read_text():
    time.sleep(0.05)
time.sleep(0.5)"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder whose python is replaced by a script."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    return tmp_path


def put_python(folder: Path, life: str) -> None:
    """Put a script in the place of python that notes its signals and then runs `life`."""
    python = folder / ".venv" / "bin" / "python"
    python.write_text(FAKE_PYTHON.format(python=sys.executable, life=life))
    python.chmod(0o755)


def start(folder: Path) -> tuple[int, int]:
    """Start the script under test on a terminal; its PID and the terminal."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execv("/bin/sh", ["sh", str(SCRIPT)])
    return pid, terminal


def signals(folder: Path) -> list[str]:
    """Each started process with the signals it has got."""
    return sorted(f"{path.name} {path.read_text()}".strip() for path in folder.glob("signals-*"))


def test_ctrl_c_asks_each_once(folder: Path) -> None:
    put_python(folder, UNTIL_ASKED)
    pid, terminal = start(folder)
    ends = time.monotonic() + 20
    while len(signals(folder)) < 2 and time.monotonic() < ends:
        time.sleep(0.05)
    os.write(terminal, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert signals(folder) == ["signals-m SIGTERM", "signals-manage.py SIGTERM"]
    os.close(terminal)


def test_when_one_ends_the_other_is_asked_to(folder: Path) -> None:
    put_python(folder, f'if sys.argv[1] != "-m":\n    {UNTIL_ASKED.replace(chr(10), chr(10) + "    ")}')
    pid, terminal = start(folder)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert signals(folder) == ["signals-m", "signals-manage.py SIGTERM"]
    os.close(terminal)
