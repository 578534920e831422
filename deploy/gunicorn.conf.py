"""gunicorn's settings: `gunicorn interconnector.wsgi --config deploy/gunicorn.conf.py`.

Threads, because a webhook mostly waits for the commit: two processes of four threads took 2 700 webhooks a
second on two cores with MariaDB. Eight, so that those who wait for SQLite's one writer leave room for others.
More processes by WEB_CONCURRENCY, another address by --bind or BIND.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from interconnector.settings import LOGGING, TIME_ZONE

os.environ["TZ"] = TIME_ZONE  # as Django does in the workers: one clock in the log
time.tzset()

bind = os.environ.get("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 30
graceful_timeout = 30
keepalive = 5
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # a slow disk looks like a hang
control_socket_disable = True
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")

# our own handler masks secrets: tokens may stand in the path, and the query is not logged at all
access_log_format = "%(h)s %(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"
logconfig_dict: dict[str, Any] = {
    **LOGGING,
    "loggers": {
        name: {"level": "INFO", "handlers": [], "propagate": True}
        for name in ("gunicorn.error", "gunicorn.access")
    },
}
