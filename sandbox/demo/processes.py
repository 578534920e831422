"""Starting and stopping the real processes, each in its own group with its output in a file."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import requests

PROJECT = Path(__file__).resolve().parent.parent.parent
STOP_SECONDS = 40.0


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """One running command of the product; `log` is where its output goes."""

    def __init__(self, arguments: list[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.arguments = arguments
        self.log = log
        self._environment = {**os.environ, **environment}
        self.child = self._spawn()

    @classmethod
    def manage(cls, *arguments: str, log: Path, environment: Mapping[str, str]) -> Process:
        """`manage.py` with these arguments, left running."""
        return cls([sys.executable, "manage.py", *arguments], log=log, environment=environment)

    def restart(self) -> None:
        """Start it again after it was stopped or killed."""
        self.child = self._spawn()

    def wait_for(self, url: str, *, seconds: float = 30) -> None:
        """Until it answers at `url`; RuntimeError with its output when it ends or takes too long."""
        wait_until(
            lambda: self._answers(url), seconds=seconds, what=lambda: f"{url}: {self.output()[-2000:]}"
        )

    def ask_to_end(self) -> None:
        """SIGTERM, if it still runs."""
        if self.child.poll() is None:
            self.child.terminate()

    def stop(self) -> int | None:
        """Ask it to end, then insist; its exit code."""
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._kill_group()
        return self.child.returncode

    def kill(self) -> None:
        """SIGKILL for it and all of its group, at once."""
        self._kill_group()
        self.child.wait()

    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _answers(self, url: str) -> bool:
        if self.child.poll() is not None:
            raise RuntimeError(f"{' '.join(self.arguments)} ended: {self.output()[-2000:]}")
        with contextlib.suppress(requests.RequestException):
            return requests.get(url, timeout=5).ok
        return False

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603  # our own commands
                self.arguments,
                cwd=PROJECT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)


def stop_all(processes: Sequence[Process]) -> None:
    """End all of them; each has the time that the slowest takes."""
    for process in processes:
        process.ask_to_end()
    for process in reversed(processes):
        process.stop()


def wait_until(is_true: Callable[[], bool], *, seconds: float, what: Callable[[], str]) -> None:
    """Look again and again until it is true; TimeoutError with `what` otherwise."""
    ends = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > ends:
            raise TimeoutError(f"not within {seconds} s: {what()}")
        time.sleep(0.2)


def run_manage(*arguments: str, environment: Mapping[str, str], seconds: float = 300) -> str:
    """`manage.py` with these arguments, to its end; its output. RuntimeError with it when it failed."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(  # noqa: S603  # our own commands
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout
