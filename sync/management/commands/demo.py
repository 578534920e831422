"""`manage.py demo`: stand-in portals, web and worker on this machine; deals move while you watch."""

from __future__ import annotations

import secrets
import shutil
import signal
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sync.rehearsal import Proof, Rehearsal, prove, run_manage

LOOK_EVERY = 2.0
A_NEW_DEAL_EVERY = 20.0
PATIENCE = 240.0
LOGIN = "demo"


class Command(BaseCommand):
    """Sets everything up in `var/demo`, shows deals moving, and proves that each arrived exactly once."""

    help = "Show the whole product at work against two stand-in portals on this machine"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once` ends with a summary and an exit code."""
        parser.add_argument(
            "--once", action="store_true", help="end with a summary; exit code 0 when all arrived"
        )
        parser.add_argument("--deals", type=int, default=200, help="how many deals (200)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, send, watch, prove; then keep running unless `--once`."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: take all that runs along
        with self._rehearsal() as rehearsal:
            self.stdout.write(f"Portals, web and worker are up: {rehearsal.base}/admin/")
            ids = rehearsal.seed(options["deals"])
            proof = self._watch(rehearsal, ids)
            self.stdout.write(str(proof))
            if options["once"]:
                if not proof.holds:
                    raise CommandError(f"Not every deal arrived exactly once. Logs: {rehearsal.folder}")
                return
            self._stay(rehearsal)

    @contextmanager
    def _rehearsal(self) -> Iterator[Rehearsal]:
        folder = settings.BASE_DIR / "var" / "demo"
        shutil.rmtree(folder, ignore_errors=True)
        rehearsal = Rehearsal(
            folder=folder,
            database_url=f"sqlite:///{folder / 'demo.sqlite3'}",
            settings={"LANGUAGE_CODE": settings.LANGUAGE_CODE},
        )
        try:
            rehearsal.start()
            rehearsal.listen()
            yield rehearsal
        except KeyboardInterrupt:
            self.stdout.write("\nStopping …")
        finally:
            rehearsal.stop()

    def _watch(self, rehearsal: Rehearsal, ids: list[str]) -> Proof:
        began = time.monotonic()
        while True:
            proof = prove(rehearsal, ids)
            arrived, told = len(ids) - len(proof.lost), len(ids) - len(proof.unstaged)
            seconds = int(time.monotonic() - began)
            self.stdout.write(
                f"{seconds:4} s: {arrived} of {len(ids)} deals arrived, {told} source cards show it"
            )
            self.stdout.flush()
            if proof.holds or seconds > PATIENCE:
                return proof
            time.sleep(LOOK_EVERY)

    def _stay(self, rehearsal: Rehearsal) -> None:
        password = secrets.token_urlsafe(9)
        account = {
            "DJANGO_SUPERUSER_USERNAME": LOGIN,
            "DJANGO_SUPERUSER_PASSWORD": password,
            "DJANGO_SUPERUSER_EMAIL": "demo@example.com",
        }
        run_manage("createsuperuser", "--noinput", environment={**rehearsal.environment, **account})
        self.stdout.write(
            f"\nAdmin: {rehearsal.base}/admin/   login: {LOGIN}   password: {password}\n"
            f"A new deal every {A_NEW_DEAL_EVERY:.0f} s; Ctrl-C ends the demo."
        )
        self.stdout.flush()
        while True:
            time.sleep(A_NEW_DEAL_EVERY)
            rehearsal.seed(1)
