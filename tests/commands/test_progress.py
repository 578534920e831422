"""The progress of a long command: a bar on a terminal, plain lines anywhere else."""

import contextlib
import os
import pty
import subprocess
import sys

from tests.commands.conftest import CommandSite


def _all_of(terminal: int) -> str:
    """What was written to a terminal whose other end is closed."""
    pieces = []
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 4096):
            pieces.append(piece)
    os.close(terminal)
    return b"".join(pieces).decode()


def test_bar_on_a_terminal(pair: CommandSite) -> None:
    pair.add_jobs(3, state="done", created_at="2020-01-01T00:00:00Z", finished_at="2020-01-01T00:00:00Z")
    ours, theirs = pty.openpty()
    environment = {**os.environ, **pair.site.environment}
    done = subprocess.run(
        [sys.executable, "manage.py", "prune"],
        env=environment,
        stderr=theirs,
        stdout=subprocess.PIPE,
        check=True,
    )
    os.close(theirs)
    shown = _all_of(ours)
    assert "3/3" in shown
    assert "\r" in shown
    assert done.stdout.decode().strip() == "3 rows are deleted."


def test_lines_elsewhere(pair: CommandSite) -> None:
    pair.add_jobs(3, state="done", created_at="2020-01-01T00:00:00Z", finished_at="2020-01-01T00:00:00Z")
    done = pair.run("prune")
    assert done.err.splitlines()[-1] == "prune: 3 of 3"
    assert "\r" not in done.err
