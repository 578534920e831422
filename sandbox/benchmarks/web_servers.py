"""Web servers under load: ours and the bare one, by the same gunicorn settings, and what sends to them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox.benchmarks.installations import DealsInstallation
from sandbox.demo.installation import TOKEN
from sandbox.demo.processes import PROJECT, Process, free_port, wait_until

OURS = "/inbound/from-source"
BARE = "/hook"
BODY = f"ID={{n}}&token={TOKEN}&comments=%D0%9F%D0%B5%D1%80%D0%B5%D0%B7%D0%B2%D0%BE%D0%BD%D0%B8%D1%82%D1%8C"
LOAD = Path(__file__).with_name("load.py")


def start_bare(installation: DealsInstallation) -> int:
    """The bare view over the installation's database; its port."""
    module = "sandbox.benchmarks.bare.wsgi"
    environment = {**installation.environment, "PYTHONPATH": str(PROJECT)}
    table = Process(
        [sys.executable, "-m", module], log=installation.folder / "bare-table.log", environment=environment
    )
    if table.child.wait():
        raise RuntimeError(table.output())
    port = free_port()
    words = ["-m", "gunicorn", module, "--config", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    bare = Process([sys.executable, *words], log=installation.folder / "bare.log", environment=environment)
    installation.running.append(bare)
    wait_until(lambda: _listens(port), seconds=30, what=bare.output)
    return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def load(port: int, path: str, **changes: Any) -> dict[str, Any]:
    """Send webhooks by a process of its own (see `load.LoadSpec`); what came of them."""
    given = json.dumps({"port": port, "path": path, "body": BODY, **changes})
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, str(LOAD), given], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
