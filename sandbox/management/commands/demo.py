"""`manage.py demo`: emulated portals, web and worker on this machine; deals move while you watch.

Users posted to the API become leads beside them.
"""

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

from sandbox.demo import DemoUsers, Installation, LeadProof, Proof, prove, run_manage

LOOK_EVERY = 2.0
A_NEW_DEAL_EVERY = 20.0
PATIENCE = 240.0
LOGIN = "demo"


class Command(BaseCommand):
    """Sets everything up in `var/demo`, shows deals and users moving, and proves that each arrived once."""

    help = "Show the whole product at work against two emulated portals on this machine"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once` ends with a summary and an exit code."""
        parser.add_argument(
            "--once", action="store_true", help="end with a summary; exit code 0 when all arrived"
        )
        parser.add_argument("--deals", type=int, default=200, help="how many deals (200)")
        parser.add_argument("--users", type=int, default=20, help="how many users (20)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, send, watch, prove; then keep running unless `--once`."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: take all that runs along
        with self._installation() as installation:
            self.stdout.write(f"Portals, web and worker are up: {installation.base}/admin/")
            users = DemoUsers(installation)
            ids = installation.seed(options["deals"])
            users.add(options["users"])
            deals, leads = self._watch(installation, ids, users)
            self.stdout.write(f"{deals}\n{leads}")
            if options["once"]:
                if not (deals.holds and leads.holds):
                    raise CommandError(f"Not everything arrived exactly once. Logs: {installation.folder}")
                return
            self._stay(installation, users)

    @contextmanager
    def _installation(self) -> Iterator[Installation]:
        folder = settings.BASE_DIR / "var" / "demo"
        shutil.rmtree(folder, ignore_errors=True)
        installation = Installation(
            folder=folder,
            database_url=f"sqlite:///{folder / 'demo.sqlite3'}",
            settings={"LANGUAGE_CODE": settings.LANGUAGE_CODE},
        )
        try:
            installation.start()
            installation.listen()
            yield installation
        except KeyboardInterrupt:
            self.stdout.write("\nStopping …")
        finally:
            installation.stop()

    def _watch(self, installation: Installation, ids: list[str], users: DemoUsers) -> tuple[Proof, LeadProof]:
        began = time.monotonic()
        while True:
            deals, leads = prove(installation, ids), users.prove()
            arrived, moved = len(ids) - len(deals.lost), len(ids) - len(deals.unmoved)
            seconds = int(time.monotonic() - began)
            self.stdout.write(
                f"{seconds:4} s: {arrived} of {len(ids)} deals arrived, {moved} source cards show it; "
                f"{leads.sent - len(leads.lost)} of {leads.sent} users are leads"
            )
            self.stdout.flush()
            if (deals.holds and leads.holds) or seconds > PATIENCE:
                return deals, leads
            time.sleep(LOOK_EVERY)

    def _stay(self, installation: Installation, users: DemoUsers) -> None:
        password = secrets.token_urlsafe(9)
        account = {
            "DJANGO_SUPERUSER_USERNAME": LOGIN,
            "DJANGO_SUPERUSER_PASSWORD": password,
            "DJANGO_SUPERUSER_EMAIL": "demo@example.com",
        }
        run_manage("createsuperuser", "--noinput", environment={**installation.environment, **account})
        self.stdout.write(
            f"\nAdmin: {installation.base}/admin/   login: {LOGIN}   password: {password}\n"
            f"A new deal and a new user every {A_NEW_DEAL_EVERY:.0f} s; Ctrl-C ends the demo."
        )
        self.stdout.flush()
        while True:
            time.sleep(A_NEW_DEAL_EVERY)
            installation.seed(1)
            users.add(1)
