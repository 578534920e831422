"""All code is loaded before work begins, and later garbage collections leave it out."""

import gc
import subprocess
import sys

from django_q.management.commands.qcluster import Command as Cluster

from sync.management.commands.qcluster import Command

MIN_FROZEN = 50_000
PRINT_LOADED = (
    "import gc, sys, interconnector.wsgi; print(gc.get_freeze_count(), 'sync.api.webhooks' in sys.modules)"
)


def test_the_web_process_is_ready_for_its_first_webhook():
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_LOADED], check=True, capture_output=True, text=True
    ).stdout
    frozen, has_views = printed.split()
    assert int(frozen) > MIN_FROZEN
    assert has_views == "True"


def test_workers_are_forked_from_a_frozen_process(monkeypatch):
    found = []
    monkeypatch.setattr(Cluster, "handle", lambda *_, **__: found.append(gc.get_freeze_count()))
    try:
        Command().handle(watched_by=None, run_once=True)
    finally:
        gc.unfreeze()
    assert found[0] > MIN_FROZEN
