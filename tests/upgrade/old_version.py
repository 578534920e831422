"""Hands for an installation of commit c6f295d, whose code must be the first on `sys.path`.

Its web process runs beside; its workers are driven step by step: `carry` lets the old engine take only jobs
at some steps, `kill_while` starts a process that does so and kills it in the middle of its request.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sync.board as board
from django.utils import timezone
from sync.emulators.bitrix24 import start
from sync.rehearsal import Rehearsal, Stand, run_manage, wait_until

from sync import engine, inbox, posting
from sync.models import FieldMapping, Job, Pace, Portal, Route, Slot

AGAIN = [sys.executable, str(Path(__file__).with_name("make_installation.py"))]
FOR_EVER = 3600.0
PATIENCE = 60.0
FILE = "UF_CRM_1773600000001"
PORTAL = {
    "requests_per_minute": 6000,
    "burst": 100,
    "bucket_size": 10000,
    "bucket_leak": 1000.0,
    "request_seconds": 60,
    "slots": 10,
}


class _NoProcess:
    """The stand-in portals run in this process, so that their content can be saved."""

    def wait_for(self, *_: Any) -> None: ...

    def stop(self) -> None: ...


class PortalHere(Stand):
    """A stand-in portal in this process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.emulator = start(port=0)
        self.port = self.emulator.port
        self.process = _NoProcess()

    def told(self) -> None:
        """Its events have reached our web process."""
        assert self.emulator.wait_for_events(30)


class OldInstallation(Rehearsal):
    """Web, portals and database of the old version; a worker only while one is asked for."""

    def _stand(self, name: str) -> PortalHere:
        return PortalHere(name)

    def configure(self) -> None:
        """The shipped examples, with a file that travels, and directories of the source portal."""
        super().configure()
        route = Route.objects.get(slug="vinilam-vinipol")
        FieldMapping.objects.create(route=route, to=FILE, origin="field", source=FILE)
        environment = {**self.environment, "BITRIX_WEBHOOK_URL": self.source.webhook_url}
        run_manage("import_config", "examples/directories.yaml", environment=environment)
        Portal.objects.filter(slug="reference").update(**PORTAL)

    def sort(self, slug: str) -> None:
        """Turn stored events into jobs, and do no work."""
        self.source.told()
        self.target.told()
        portal = Portal.objects.get(slug=slug)
        while inbox.sort(portal):
            pass

    def carry(self, slug: str, *steps: str) -> None:
        """Let the engine do all that is due on a portal at these steps."""
        self.sort(slug)
        carry(slug, *steps)

    def kill_while(self, slug: str, steps: str, is_under_way: Callable[[], bool]) -> None:
        """Start a worker that takes the jobs at these steps, and kill it in the middle."""
        self.sort(slug)
        # those that were killed before hold slots: as if their time were over, while their jobs keep theirs
        Slot.objects.filter(portal__slug=slug).update(lease_until=0)
        worker = subprocess.Popen([*AGAIN, "carry", slug, *steps.split()])
        wait_until(is_under_way, seconds=PATIENCE, what=lambda: f"{steps} on {slug}")
        worker.kill()
        worker.wait()

    def kill_sender(self) -> None:
        """Start a sender of messages, and kill it before it has sent the first."""
        subprocess.run([*AGAIN, "send"], check=False)

    def try_until_failed(self, jobs: Any, *, slug: str, steps: tuple[str, ...]) -> None:
        """Try again without waiting, as often as the retry policy wants to."""
        ends = time.monotonic() + PATIENCE
        while jobs.filter(state="waiting").exists():
            assert time.monotonic() < ends, list(jobs.values("step", "state", "attempts", "note"))
            jobs.filter(state="waiting").update(due_at=timezone.now())
            Pace.objects.update(away_until=0, failures=0)
            self.carry(slug, *steps)


@contextmanager
def only(*steps: str) -> Iterator[None]:
    """The engine sees no job but those at these steps."""
    look = board.Board._look

    def look_at_some(self: Any) -> None:
        look(self)
        self._due = [due for due in self._due if due.step in steps]

    with patch.object(board.Board, "_look", look_at_some):
        yield


def carry(slug: str, *steps: str) -> None:
    """Let the engine do all that is due on a portal at these steps."""
    portal = Portal.objects.get(slug=slug)
    with only(*steps):
        while Job.objects.due(portal.pk, now=timezone.now()).filter(step__in=steps).exists():
            engine.drain(portal.pk, seconds=5)
            if Pace.of(portal).is_away:
                return


def broken(*_: Any) -> None:
    """A mistake of ours."""
    raise TypeError("unhashable type")


def die(*_: Any) -> None:
    """As a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def send_and_die() -> None:
    """A sender of messages that is killed before it has sent the first."""
    with patch.object(posting, "_hand_over", die):
        posting.send()
