"""A connector is a folder and a line: the one of docs/adding-a-connector.md, from the file to the doctor."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sync.api.wakeup import WAKEUPS
from sync.config import apply, load
from sync.config.export import export
from sync.connectors import CONNECTORS
from sync.doctor import examine
from sync.errors import ConfigRefused
from sync.models import Event, Portal
from tests.admin.conftest import plain_http
from tests.pages import blocks_of, built, files_of, registered

PAGE = "adding-a-connector.md"
[YAML] = blocks_of(PAGE, "yaml")

__all__ = ["plain_http"]


class Notebook(BaseHTTPRequestHandler):
    """The other end: answers the commands it knows, for whoever has the key."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = {
            "owner": {"id": 7, "name": "Anna", "owner": True},
            "rights": ["pages"],
            "time": datetime.now(UTC).isoformat(),
        }
        found = {key: known[one["method"]] for key, one in asked.items() if one["method"] in known}
        body = json.dumps(found).encode()
        self.send_response(200 if self.path == "/key/s3cret/" else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[str]:
    """The host and port of a notebook."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Notebook) as notebook:
        threading.Thread(target=notebook.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{notebook.server_port}"
        notebook.shutdown()


@pytest.fixture
def notes(db: None, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    """The connector of the page in its folder and in the registry, and the portal of the page's file."""
    with built(PAGE, tmp_path) as module:
        for kind, connector in registered(PAGE, module).items():
            monkeypatch.setitem(CONNECTORS, kind, connector)
        apply(load(YAML.replace("127.0.0.1", server), "page.yaml"))
        yield Portal.objects.get()


@pytest.fixture
def boss(notes: Portal) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("boss", password="boss-password"))
    return client


def send(word: str, **fields: Any) -> int:
    """A webhook of the notebook; the status of the answer."""
    address = reverse("inbound", args=["notes"])
    return Client().post(address, {"word": word, **fields}, content_type="application/json").status_code


def test_it_needs_no_django() -> None:
    assert not [name for name, text in files_of(PAGE).items() if "django" in text]


def test_the_file_is_checked_by_the_connector_and_written_from_it(notes: Portal) -> None:
    assert notes.webhook_url.endswith("/key/s3cret/"), "with its last slash"
    assert apply(load(export(with_secrets=True), "again.yaml")).is_unchanged
    for wrong in (YAML.replace("/key/", "/lock/"), YAML.replace("127.0.0.1", "elsewhere.example")):
        with pytest.raises(ConfigRefused) as refused:
            load(wrong, "wrong.yaml")
        [problem] = refused.value.problems
        assert ": portals[0].webhook_url: " in problem
        assert "s3cret" not in problem


def test_staff_make_a_portal_of_it(notes: Portal, boss: Client) -> None:
    add = reverse("admin:sync_portal_add")
    assert '<option value="notebook">Notebook</option>' in boss.get(add).content.decode()
    numbers = {"requests_per_minute": 20, "burst": 1, "slots": 2, "bucket_size": 50, "bucket_leak": 2}
    form = {"name": "New", "slug": "new", "kind": "notebook", "request_seconds": 60, **numbers}
    page = boss.post(add, {**form, "webhook_url": "http://127.0.0.1/lock/x"}).content.decode()
    assert "A notebook&#x27;s address looks like" in page
    assert boss.post(add, {**form, "webhook_url": "http://127.0.0.1/key/x"}).status_code == 302
    assert Portal.objects.get(slug="new").webhook_url == "http://127.0.0.1/key/x/"
    assert "Notebook" in boss.get(reverse("admin:sync_portal_change", args=[notes.pk])).content.decode()


def test_its_webhooks_are_stored_and_shown(
    notes: Portal, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(WAKEUPS, "request", woken.append)
    assert send("a-secret-word", page=7, what="torn") == 200
    assert (send("wrong", page=7), send("a-secret-word", page="x")) == (401, 400)
    assert woken == [notes.pk]
    event = Event.objects.get()
    assert (event.entity, event.action, event.record_id) == ("page", "torn", "7")
    page = boss.get(reverse("admin:sync_event_changelist")).content.decode()
    assert "page 7" in page
    assert "a-secret-word" not in page
    assert "torn out" in boss.get(reverse("admin:sync_event_change", args=[event.pk])).content.decode()


def test_the_doctor_asks_how_it_is(notes: Portal) -> None:
    found = [one for one in examine() if one.where == "portal notes"]
    assert "the webhook belongs to Anna (ID 7), an administrator." in " ".join(one.what for one in found)
    assert [one for one in found if one.level == "fault"] == []


def test_staff_ask_how_it_is(notes: Portal, boss: Client) -> None:
    run = reverse("admin:sync_portal_run", args=[notes.pk, "check_now"])
    assert "belongs to user Anna (administrator)" in boss.post(run, follow=True).content.decode()


def test_a_wrong_key_is_a_matter_for_staff(notes: Portal) -> None:
    notes.webhook_url = notes.webhook_url.replace("s3cret", "0ther")
    notes.save()
    [fault] = [one for one in examine() if one.where == "portal notes" and one.level == "fault"]
    assert "the key is wrong" in fault.what
