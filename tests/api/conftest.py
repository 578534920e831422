"""One installation and one gunicorn per database engine for a module; a test begins without events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sync.models import Event, Portal
from tests.databases import open_site
from tests.processes import Site, WebServer

TOKEN = "s3cret-Token-Of-The-Tests"


@dataclass
class WebhookSender:
    """Sends webhooks to a running installation, and reads the events it has stored."""

    site: Site
    web: WebServer

    def get(self, path: str, **options: Any) -> requests.Response:
        """Send a GET request to this path."""
        return requests.get(self.web.url + path, timeout=30, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """Send a POST request to this path."""
        return requests.post(self.web.url + path, timeout=30, **options)

    def events(self) -> list[Event]:
        """The stored events, the oldest first."""
        with self.site.orm():
            return list(Event.objects.select_related("portal").order_by("id"))


def install(installation: Site) -> None:
    """Add the portals `source` and `vinipol`, and the users API, which sends no webhooks."""
    with installation.orm():
        Portal.objects.create(slug="core", kind="core", inbound_token=TOKEN)
        for slug in ("source", "vinipol"):
            Portal.objects.create(slug=slug, webhook_url="http://127.0.0.1:1/rest/1/x/", inbound_token=TOKEN)


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebhookSender]:
    """A gunicorn over a database with two portals, shared by a module's tests."""
    with open_site(request.param, request=request, folder=tmp_path_factory.mktemp("site")) as opened:
        install(opened)
        yield WebhookSender(opened, opened.serve())


@pytest.fixture
def sender(running: WebhookSender) -> Iterator[WebhookSender]:
    """The running installation without the events of other tests; its log must hold no token."""
    with running.site.orm():
        Event.objects.all().delete()
    yield running
    assert TOKEN not in running.web.output(), "the token is in the log"
