"""Real processes for tests: an installation with a database of its own.

`manage()` runs a command to its end, `call()` does so without a process, `start()` leaves one running,
`serve()` starts gunicorn, `orm()` looks into the database. The fixtures that hand installations out are in
`tests/databases.py`.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environ
from django.conf import settings
from django.core.management import ManagementUtility
from django.db import connections
from django.db.utils import load_backend

from interconnector.databases import MYSQL_OPTIONS
from sandbox.demo.processes import PROJECT, Process, free_port

GUNICORN_CONFIG = PROJECT / "deploy" / "gunicorn.conf.py"
COMMAND_SECONDS = 120


@dataclass(frozen=True)
class Finished:
    """A command that has ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


@dataclass
class WebServer:
    """A running gunicorn; `url` has no slash at the end."""

    process: Process
    url: str

    def output(self) -> str:
        """All it has logged so far."""
        return self.process.output()


@dataclass
class Site:
    """One installation over its own database; everything it started ends with the test."""

    folder: Path
    database_url: str
    blocker: Any
    settings: dict[str, str] = field(default_factory=dict)
    running: list[Process] = field(default_factory=list)

    @property
    def engine(self) -> str:
        """sqlite or mysql."""
        return self.database_url.partition(":")[0]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes; `settings` win."""
        return {
            "SECRET_KEY": settings.SECRET_KEY,
            "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
            "DATABASE_URL": self.database_url,
            "DEBUG": "false",
            "HTTPS": "false",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "ALLOW_PRIVATE_HOSTS": "true",
            "PORTAL_HOSTS": "127.0.0.1",
            "LANGUAGE_CODE": "en",
            "LOG_LEVEL": "INFO",
            "REDIS_URL": "",
            "RABBITMQ_URL": "",
            "BITRIX_SOURCE_URL": "",
            "BITRIX_WEBHOOK_URL": "",
            "BITRIX_TARGET_URL": "",
            "B24_AUTH_TOKEN": "",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "",
            **self.settings,
        }

    def manage(self, *words: str, seconds: float = COMMAND_SECONDS, **environment: str) -> Finished:
        """Run `manage.py` with these arguments to its end, whatever its exit code."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def call(self, *words: str) -> Finished:
        """Run `manage.py` in this process, with the suite's settings: another takes a second to start."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        with self.orm(), redirect_stdout(out), redirect_stderr(err):
            try:
                ManagementUtility(["manage.py", *words]).execute()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
        return Finished(code, out.getvalue(), err.getvalue())

    def start(self, *words: str, **environment: str) -> Process:
        """Start `manage.py` with these arguments and leave it running."""
        return self._keep([sys.executable, "manage.py", *words], words[0], environment)

    def serve(self, *, workers: int = 2, threads: int = 4, **environment: str) -> WebServer:
        """Start gunicorn as in production, on a free port; return when it answers."""
        port = free_port()
        words = ["-m", "gunicorn", "interconnector.wsgi", "--worker-class", "gthread"]
        words += ["--config", str(GUNICORN_CONFIG)] if GUNICORN_CONFIG.exists() else []
        words += ["--workers", str(workers), "--threads", str(threads), "--bind", f"127.0.0.1:{port}"]
        server = WebServer(
            self._keep([sys.executable, *words], "web", environment), f"http://127.0.0.1:{port}"
        )
        server.process.wait_for(f"{server.url}/healthz")
        return server

    @contextmanager
    def orm(self) -> Iterator[None]:
        """Let our models use this site's database, in this thread."""
        config = environ.Env.db_url_config(self.database_url)
        is_sqlite = self.engine == "sqlite"
        config["OPTIONS"] = {"timeout": 20} if is_sqlite else dict(MYSQL_OPTIONS)
        wrapper = _wrapper_of(config)
        usual = connections["default"]
        with self.blocker.unblock():
            connections["default"] = wrapper
            try:
                yield
            finally:
                wrapper.close()
                connections["default"] = usual

    def stop(self) -> None:
        """Kill everything that was started: a graceful end has its own tests."""
        for process in reversed(self.running):
            process.kill()

    def _keep(self, arguments: list[str], name: str, environment: dict[str, str]) -> Process:
        """Start a process that `stop` ends."""
        log = self.folder / f"{name}-{len(self.running)}.log"
        process = Process(arguments, log=log, environment={**self.environment, **environment})
        self.running.append(process)
        return process


def _wrapper_of(config: dict[str, Any]) -> Any:
    """A connection of Django's to another database than the settings name."""
    usual = {**connections["default"].settings_dict, "CONN_MAX_AGE": 0}
    return load_backend(config["ENGINE"]).DatabaseWrapper({**usual, **config}, "default")
