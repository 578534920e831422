"""The database is away: senders get 503 and may send again, and nothing is claimed to be stored."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import environ
import pytest
import requests

from sync.models import Event, Heartbeat
from tests.api.conftest import TOKEN, install
from tests.gate import Gate
from tests.processes import Site, WebServer


def _webhook(web: WebServer) -> requests.Response:
    """Send a webhook."""
    return requests.post(f"{web.url}/inbound/from-source", data={"ID": "1", "token": TOKEN}, timeout=30)


def _is_away(web: WebServer) -> bool:
    """Check what webhooks and probes get while the database is away."""
    answer = _webhook(web)
    body = answer.json()
    assert answer.status_code == 503, body
    assert int(answer.headers["Retry-After"]) > 0
    assert body["success"] is False
    assert body["error"]["code"] == "database_away"
    ready = requests.get(f"{web.url}/readyz", timeout=30)
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == "away"
    assert requests.get(f"{web.url}/healthz", timeout=30).status_code == 200
    assert TOKEN not in web.output()
    return True


@pytest.fixture
def gate(mysql_site: Site) -> Iterator[Gate]:
    """A proxy between the web process and MariaDB that can be shut."""
    config = environ.Env.db_url_config(mysql_site.database_url)
    gate = Gate((config["HOST"], int(config["PORT"] or 3306)))
    yield gate
    gate.shut()


def test_mariadb_goes_away_and_comes_back(mysql_site: Site, gate: Gate) -> None:
    install(mysql_site)
    config = environ.Env.db_url_config(mysql_site.database_url)
    url = f"mysql://{config['USER']}:{config['PASSWORD']}@127.0.0.1:{gate.port}/{config['NAME']}"
    web = mysql_site.serve(DATABASE_URL=url)
    assert _webhook(web).status_code == 200
    gate.shut()
    assert all(_is_away(web) for _ in range(8))  # every thread meets its broken connection
    gate.open()
    assert all(_webhook(web).status_code == 200 for _ in range(8))
    with mysql_site.orm():
        assert Event.objects.count() <= 2  # all of them were the same webhook, within one window or two


def test_sqlite_file_is_missing_and_comes_back(sqlite_site: Site, tmp_path: Path) -> None:
    install(sqlite_site)
    place = tmp_path / "disk"
    web = sqlite_site.serve(DATABASE_URL=f"sqlite:///{place}/site.sqlite3")
    assert all(_is_away(web) for _ in range(8))
    place.mkdir()
    shutil.copy(tmp_path / "site.sqlite3", place)
    assert _webhook(web).status_code == 200


def test_health_without_and_with_a_worker(site: Site) -> None:
    web = site.serve()
    assert requests.get(f"{web.url}/healthz", timeout=30).json() == {"status": "ok"}
    ready = requests.get(f"{web.url}/readyz", timeout=30)
    assert ready.status_code == 503
    assert ready.json()["checks"] == {"database": "ok", "queue": "ok", "workers": "none seen lately"}
    with site.orm():
        Heartbeat.beat("host:1")
    ready = requests.get(f"{web.url}/readyz", timeout=30)
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
