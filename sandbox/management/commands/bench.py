"""`manage.py bench [NAME …]`: measure, on this machine, what the product is worth.

Each benchmark starts its own portals, web and workers over scratch databases, and what it compares them
with, in turn. Nothing of the installation is touched.
"""

from __future__ import annotations

import json
import tempfile
from argparse import SUPPRESS
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox.benchmarks import machine, report
from sandbox.benchmarks.context import ENGINES, Context, Scale
from sandbox.benchmarks.registry import BENCHMARKS, Benchmark
from sandbox.benchmarks.workloads import WORKS

PERFORMANCE = "docs/performance.md"


class Command(BaseCommand):
    """Runs the benchmarks named, or all of them."""

    help = "Measure: requests, deals a second, webhooks a second, memory, and how they compare"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which ones, how large, where."""
        parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
        parser.add_argument("--deals", type=int, help="deals a run")
        parser.add_argument("--rounds", type=int, help="rounds, of which the median counts")
        parser.add_argument("--rows", type=int, help="ended jobs in a large table, at most 1000000")
        parser.add_argument("--seconds", type=float, help="length of a load")
        parser.add_argument("--per-minute", type=int, help="requests a minute of a portal with a pace")
        parser.add_argument("--latency", type=float, help="seconds a slow portal adds to each request")
        parser.add_argument("--engine", choices=ENGINES, default="sqlite", help="where there is one database")
        parser.add_argument(
            "--mysql",
            metavar="URL",
            default="mysql://root:@127.0.0.1:3306/",
            help="a server where scratch databases may be made; '' for SQLite alone",
        )
        parser.add_argument("--write", action="store_true", help=f"into {PERFORMANCE}")
        parser.add_argument("--inside", choices=WORKS, help=SUPPRESS)
        parser.add_argument("--given", default="{}", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, print, and write if asked; or do a part of a benchmark inside its installation."""
        if options["inside"]:
            self.stdout.write(json.dumps(WORKS[options["inside"]](**json.loads(options["given"]))))
            return
        unknown = sorted(set(options["names"]) - set(BENCHMARKS))
        if unknown:
            raise CommandError(
                f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}."
            )
        for name in options["names"] or BENCHMARKS:
            self._measure(name, BENCHMARKS[name], options)

    def _measure(self, name: str, benchmark: Benchmark, options: dict[str, Any]) -> None:
        before = f"load {machine.load():.1f} at the beginning"
        self._say(f"{name}: {benchmark.title} ({before})")
        with tempfile.TemporaryDirectory(prefix="b24-bench-") as folder:
            context = Context(
                folder=Path(folder),
                scale=_scale(benchmark, options),
                engine=options["engine"],
                mysql_url=options["mysql"],
                say=lambda text: self._say(f"    … {text}"),
            )
            findings = benchmark.run(context)
            for line in report.lines(findings):
                self._say(line)
            if options["write"]:
                report.write(
                    settings.BASE_DIR / PERFORMANCE,
                    name,
                    title=benchmark.title,
                    findings=findings,
                    machine=f"{machine.described(context)}, {before}",
                )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _scale(benchmark: Benchmark, options: dict[str, Any]) -> Scale:
    usual = Scale(
        deals=benchmark.deals, rounds=benchmark.rounds, seconds=benchmark.seconds, rows=benchmark.rows
    )
    asked = {name: options[name] for name in ("deals", "rounds", "rows", "seconds", "per_minute", "latency")}
    return replace(usual, **{name: value for name, value in asked.items() if value is not None})
