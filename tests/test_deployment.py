"""What operators use fits the code: settings, manifests, set-up scripts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = (ROOT / "interconnector" / "settings.py", ROOT / "interconnector" / "databases.py")
KUBERNETES = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
SCRIPTS = [ROOT / ".ci" / "run", *ROOT.glob("deploy/setup/*.sh"), *ROOT.glob("tests/*.sh")]
FOR_GUNICORN = {"BIND", "WEB_CONCURRENCY", "WEB_THREADS", "FORWARDED_ALLOW_IPS"}
RARELY_SET = FOR_GUNICORN | {
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SQLITE_SYNCHRONOUS",
    "QUEUE_POLL_SECONDS",
    "DUPLICATE_WINDOW_SECONDS",
    "MAX_FILE_MB",
}


def read_by_settings() -> set[str]:
    """The environment variables that the settings read."""
    text = "".join(path.read_text(encoding="utf-8") for path in SETTINGS)
    return set(re.findall(r"""env\.\w+\(\s*["']([A-Z][A-Z0-9_]+)["']""", text))


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def test_every_setting_is_explained() -> None:
    explained = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "docs/configuration.md").read_text("utf-8")))
    assert read_by_settings() - explained == set()


def test_every_usual_setting_stands_in_the_example() -> None:
    example = set(
        re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    )
    assert read_by_settings() - example - RARELY_SET == set()


def test_settings_in_manifests_are_known() -> None:
    known = read_by_settings() | FOR_GUNICORN
    compose = documents(ROOT / "compose.yaml")[0]["services"]
    named = set(compose["web"]["environment"])
    for path in KUBERNETES:
        for one in documents(path):
            named |= set(one.get("data", {})) | set(one.get("stringData", {}))
    assert named - known == set()


def test_a_stopping_worker_is_given_time_everywhere() -> None:
    """More than the supervisor's own 75 s, and only the supervisor gets the signal."""
    compose = documents(ROOT / "compose.yaml")[0]["services"]["worker"]
    assert compose["stop_grace_period"] == "90s"
    assert compose["command"] == ["python", "manage.py", "qcluster"]
    deployment = documents(ROOT / "deploy/kubernetes/worker.yaml")[0]["spec"]["template"]["spec"]
    assert deployment["terminationGracePeriodSeconds"] == 90
    assert deployment["containers"][0]["command"] == ["python", "manage.py", "qcluster"]
    unit = (ROOT / "deploy/systemd/interconnector-worker.service").read_text("utf-8")
    for line in ("KillMode=mixed", "Restart=always", "TimeoutStopSec=90"):
        assert f"\n{line}\n" in unit


def test_a_stopping_consumer_is_given_time_everywhere() -> None:
    """More than the 60 s a statement may take, and what it runs is our command."""
    consume = ["python", "manage.py", "consume"]
    compose = documents(ROOT / "compose.yaml")[0]["services"]["consume"]
    assert (compose["stop_grace_period"], compose["command"]) == ("90s", consume)
    deployment = documents(ROOT / "deploy/kubernetes/consume.yaml")[0]["spec"]["template"]["spec"]
    assert deployment["terminationGracePeriodSeconds"] == 90
    assert deployment["containers"][0]["command"] == consume
    unit = (ROOT / "deploy/systemd/interconnector-consume.service").read_text("utf-8")
    for line in ("Restart=always", "TimeoutStopSec=90"):
        assert f"\n{line}\n" in unit
    assert "manage.py consume\n" in unit


def test_every_manifest_is_applied() -> None:
    listed = documents(ROOT / "deploy/kubernetes/kustomization.yaml")[0]["resources"]
    assert sorted(listed) == [path.name for path in KUBERNETES if path.name != "kustomization.yaml"]


def test_what_the_image_copies_is_let_through() -> None:
    """.dockerignore shuts out everything that it does not name."""
    let_through = set((ROOT / ".dockerignore").read_text("utf-8").splitlines())
    for source in re.findall(r"^COPY (?!--)(\S+)", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE):
        assert f"!{source}" in let_through
        assert (ROOT / source).exists()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_parses(script: Path) -> None:
    shell = "bash" if "bash" in script.read_text("utf-8").splitlines()[0] else "sh"
    subprocess.run([shell, "-n", str(script)], check=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder with what `make env` needs."""
    (tmp_path / "deploy" / "setup").mkdir(parents=True)
    shutil.copy(ROOT / "deploy/setup/write_env.py", tmp_path / "deploy/setup")
    shutil.copy(ROOT / ".env.example", tmp_path)
    return tmp_path


def write_env(folder: Path) -> dict[str, str]:
    """Write .env as `make env` does; its settings."""
    subprocess.run(
        [sys.executable, "deploy/setup/write_env.py"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    lines = (folder / ".env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_make_env_writes_fresh_keys_for_the_owner_only(folder: Path) -> None:
    written = write_env(folder)
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    assert len(written["SECRET_KEY"]) >= 50
    assert len(written["DB_PASS"]) >= 20
    Fernet(written["FIELD_ENCRYPTION_KEYS"])
    (folder / ".env").unlink()
    assert write_env(folder)["SECRET_KEY"] != written["SECRET_KEY"]


def test_make_env_never_overwrites(folder: Path) -> None:
    (folder / ".env").write_text("MINE=1\n")
    assert write_env(folder) == {"MINE": "1"}


def test_production_settings_pass_the_deploy_check(folder: Path) -> None:
    production = {
        **write_env(folder),
        "HTTPS": "true",
        "DEBUG": "false",
        "ALLOWED_HOSTS": "bus.example.com,127.0.0.1",
        "PORTAL_HOSTS": "*.bitrix24.ru",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **production}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
