"""`manage.py qcluster`: the worker, a django-q2 cluster under our supervisor; any number on any hosts."""

import argparse
import gc
import sys
from typing import Any

from django.conf import settings
from django_q.management.commands.qcluster import Command as Cluster

from sync import tasks  # noqa: F401  # loaded once for all workers, before they are forked
from sync.queue.supervisor import Patience, die_with, watch


class Command(Cluster):
    """Takes django-q2's own options; with `--run-once` or `--watched-by` it is django-q2's own command."""

    help = "Start a worker: a cluster of processes, restarted when it dies or no longer takes tasks."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """django-q2's options, and the process ID of the supervisor."""
        super().add_arguments(parser)
        parser.add_argument("--watched-by", type=int, metavar="PID", help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Start a cluster and watch over it, or be the cluster that is watched."""
        if supervisor := options["watched_by"]:
            die_with(supervisor)
        if supervisor or options["run_once"]:
            gc.freeze()  # the workers share this memory; a full collection takes 70 ms, in mid transaction
            super().handle(*args, **options)
            return
        patience = Patience(settings.WATCHDOG_SECONDS, settings.TASK_SECONDS)
        watch(self._command(options), patience)

    def _command(self, options: dict[str, Any]) -> list[str]:
        name = ["--name", options["cluster_name"]] if options["cluster_name"] else []
        return [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster", *name]
