"""What is loaded is loaded before work begins, and no garbage collection in mid work looks through it."""

import gc
import subprocess
import sys

from django_q.management.commands.qcluster import Command as Cluster

from sync.management.commands.qcluster import Command

MUCH = 50_000
TELL = "import gc, sys, interconnector.wsgi; print(gc.get_freeze_count(), 'sync.api.webhooks' in sys.modules)"


def test_the_web_process_is_ready_for_its_first_webhook():
    message = subprocess.run([sys.executable, "-c", TELL], check=True, capture_output=True, text=True).stdout
    frozen, has_views = message.split()
    assert int(frozen) > MUCH
    assert has_views == "True"


def test_workers_are_forked_from_a_frozen_process(monkeypatch):
    found = []
    monkeypatch.setattr(Cluster, "handle", lambda *_, **__: found.append(gc.get_freeze_count()))
    try:
        Command().handle(watched_by=None, run_once=True)
    finally:
        gc.unfreeze()
    assert found[0] > MUCH
