"""Staff's browsers, portals and a route as fixtures; functions that make jobs in all states."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from sync.models import Attempt, Event, FieldMapping, Job, Link, Portal, Route, ValueMapping

CODE = "s3cretc0de7"
TOKEN = "inb0undT0kenOfTests"
NEW = "https://moved.bitrix24.ru/rest/9/br4ndnewc0de/"


@pytest.fixture(autouse=True)
def plain_http(settings: Any) -> None:
    """Let the test client use http and static files that were not collected; allow the vendor's hosts."""
    settings.PORTAL_HOSTS = ["*.bitrix24.ru", "127.0.0.1", "localhost"]
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


@pytest.fixture
def source(db: None) -> Portal:
    """The sending portal."""
    return Portal.objects.create(
        slug="source",
        name="Винилам",
        webhook_url=f"https://vinilam.bitrix24.ru/rest/1/{CODE}/",
        inbound_token=TOKEN,
    )


@pytest.fixture
def target(db: None) -> Portal:
    """The receiving portal."""
    return Portal.objects.create(
        slug="vinipol", name="Винипол", webhook_url=f"https://vinipol.bitrix24.ru/rest/7/{CODE}/"
    )


@pytest.fixture
def route(source: Portal, target: Portal) -> Route:
    """A route of deals from `source` to `target`."""
    return Route.objects.create(slug="vinilam-vinipol", source=source, target=target)


@pytest.fixture
def mapping(route: Route) -> FieldMapping:
    """A field mapping of the route with a value list of two."""
    row = FieldMapping.objects.create(route=route, to="UF_CRM_SEGMENT", origin="param", source="segment")
    ValueMapping.objects.create(mapping=row, value="конечник", becomes="1321")
    ValueMapping.objects.create(mapping=row, value="дизайнер", becomes="1323")
    return row


@pytest.fixture
def boss(db: None) -> Client:
    """The test client of a superuser."""
    client = Client(headers={"accept-language": "ru"})
    client.force_login(User.objects.create_superuser("boss", password="boss-password"))
    return client


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A function: `staff("view_job", …)` is the test client of a user with just these permissions."""

    def login(*rights: str) -> Client:
        user = User.objects.create_user("clerk", password="clerk-password", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client = Client(headers={"accept-language": "ru"})
        client.force_login(user)
        return client

    return login


def make_job(route: Route, **fields: Any) -> Job:
    """Make a job about a deal of its own, failed unless `fields` say otherwise."""
    number = fields.pop("source_id", str(1000 + Job.objects.count()))
    values: dict[str, Any] = {
        "kind": "deal",
        "source_id": number,
        "lane": f"{route.pk}:deal:{number}",
        "portal": route.source,
        "step": "fetch",
        "state": Job.State.FAILED,
        "failure": Job.Failure.CONFIG,
        "note": "The value is not in the value list.",
        "finished_at": timezone.now(),
    } | fields
    if values["state"] != Job.State.FAILED:
        values |= {"failure": ""}
    return Job.objects.create(route=route, **values)


def make_history(route: Route, count: int) -> None:
    """Make `count` jobs in all states, each with an event, an attempt and a deal mapping."""
    states = list(Job.State.values)
    now = timezone.now()
    for number in range(count):
        deal = str(7000 + Job.objects.count())
        event = Event.objects.create(
            portal=route.source,
            fingerprint=deal,
            entity="deal",
            record_id=deal,
            own_id=deal,
            outcome="queued",
        )
        job = make_job(
            route, source_id=deal, target_id=f"9{deal}", state=states[number % len(states)], event=event
        )
        Attempt.objects.create(
            job=job,
            step="fetch",
            request_id="r",
            started_at=now - timedelta(seconds=2),
            ended_at=now,
            outcome="later",
            message="The portal is busy.",
        )
        Link.objects.create(route=route, source_id=deal, target_id=f"9{deal}", state="linked")


def refuse_portals(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
    """Wrap the database's execute so that storing a portal fails with an error that quotes a secret."""
    if sql.startswith("UPDATE") and "sync_portal" in sql:
        raise RuntimeError(f"cannot store {NEW}")
    return execute(sql, params, many, context)
