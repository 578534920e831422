"""`manage.py emulate bitrix24 --port N`: an emulated outside system until it is stopped."""

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from sandbox.emulators import bitrix24


def _bitrix24_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--code", default="demo0code", help="secret of the incoming webhook")
    parser.add_argument("--bucket-size", type=float, default=50.0, help="requests that may come at once")
    parser.add_argument("--bucket-leak", type=float, default=2.0, help="requests a second afterwards")
    parser.add_argument("--no-bucket", action="store_true", help="no limit on the number of requests")
    parser.add_argument(
        "--operating-limit", type=float, default=480.0, help="seconds per method in 10 minutes"
    )
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to each request")


def start_bitrix24(options: dict[str, Any]) -> bitrix24.Emulator:
    """As the options of the command say."""
    return bitrix24.start(
        options["port"],
        code=options["code"],
        bucket=None if options["no_bucket"] else (options["bucket_size"], options["bucket_leak"]),
        operating_limit=options["operating_limit"],
        latency=options["latency"],
    )


_SYSTEMS: dict[
    str, tuple[Callable[[ArgumentParser], None], Callable[[dict[str, Any]], bitrix24.Emulator]]
] = {
    "bitrix24": (_bitrix24_arguments, start_bitrix24),
}


class Command(BaseCommand):
    """Runs one emulated system in the foreground."""

    help = "Run an emulated outside system over real HTTP, in memory"
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One sub-command per system."""
        systems = parser.add_subparsers(dest="system", required=True)
        for name, (add_arguments, _) in _SYSTEMS.items():
            system = systems.add_parser(name)
            system.add_argument("--port", type=int, default=0, help="0 takes a free port")
            add_arguments(system)

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen, say where, and wait for SIGTERM or SIGINT."""
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        emulator = _SYSTEMS[options["system"]][1](options)
        self.stdout.write(f"{options['system']} listening on {emulator.url}")
        self.stdout.flush()
        over.wait()
        emulator.stop()
