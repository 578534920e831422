"""One installation and one gunicorn per database engine for a module; events are gone after a test."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sync.models import Event, Portal
from tests.databases import (  # noqa: F401
    mysql_site,
    mysql_template,
    open_site,
    site,
    sqlite_site,
    sqlite_template,
)
from tests.processes import Site, WebServer

TOKEN = "s3cret-Token-Of-The-Tests"


@dataclass
class WebhookSender:
    """The HTTP edge of a running installation."""

    site: Site
    web: WebServer

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET this path."""
        return requests.get(self.web.url + path, timeout=30, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """POST to this path."""
        return requests.post(self.web.url + path, timeout=30, **options)

    def events(self) -> list[Event]:
        """What is stored, oldest first."""
        with self.site.orm():
            return list(Event.objects.select_related("portal").order_by("id"))


def install(installation: Site) -> None:
    """The two portals of the running original, and the users API, which sends no webhooks."""
    with installation.orm():
        Portal.objects.create(slug="core", kind=Portal.Kind.CORE, inbound_token=TOKEN)
        for slug in ("source", "vinipol"):
            Portal.objects.create(slug=slug, webhook_url="http://127.0.0.1:1/rest/1/x/", inbound_token=TOKEN)


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebhookSender]:
    """gunicorn over a database with two portals."""
    with open_site(request.param, request=request, folder=tmp_path_factory.mktemp("site")) as opened:
        install(opened)
        yield WebhookSender(opened, opened.serve())


@pytest.fixture
def sender(running: WebhookSender) -> Iterator[WebhookSender]:
    """The running installation, without the events of other tests."""
    with running.site.orm():
        Event.objects.all().delete()
    yield running
    assert TOKEN not in running.web.output(), "the token is in the log"
