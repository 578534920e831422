"""Secrets are entered and never shown: not on pages, not in the log, not on error pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse

from sync.models import Event, Portal, Route
from tests.admin.conftest import CODE, NEW, TOKEN, make_history, make_job, refuse_portals


def form_of(portal: Portal, **changes: Any) -> dict[str, Any]:
    """The posted form of a stored portal, with empty secrets."""
    names = ("slug", "name", "kind", "requests_per_minute", "burst", "slots", "bucket_size", "bucket_leak")
    values = {name: getattr(portal, name) for name in (*names, "request_seconds")}
    return values | {"webhook_url": "", "inbound_token": ""} | changes


def change_of(record: Any) -> str:
    """The address of the record's page."""
    return reverse(f"admin:sync_{record._meta.model_name}_change", args=[record.pk])


def test_no_page_holds_a_secret(route: Route, boss: Client) -> None:
    make_history(route, 6)
    pages = [reverse("admin:index")]
    for screen in ("job", "event", "link", "route", "portal", "heartbeat", "methodbudget"):
        pages.append(reverse(f"admin:sync_{screen}_changelist"))
    pages += [
        change_of(record) for record in (route, route.source, route.jobs.first(), Event.objects.first())
    ]
    for page in pages:
        html = boss.get(page).content.decode()
        assert CODE not in html, page
        assert TOKEN not in html, page


def test_empty_secrets_keep_the_stored_ones(source: Portal, boss: Client) -> None:
    answer = boss.post(change_of(source), form_of(source, name="Другое имя"))
    stored = Portal.objects.get()
    assert answer.status_code == 302
    assert (stored.name, stored.inbound_token) == ("Другое имя", TOKEN)
    assert CODE in stored.webhook_url


def test_new_secrets_are_stored_and_not_logged(source: Portal, boss: Client) -> None:
    boss.post(change_of(source), form_of(source, webhook_url=NEW, inbound_token="another-token-1"))
    stored = Portal.objects.get()
    assert (stored.webhook_url, stored.inbound_token) == (NEW, "another-token-1")
    entry = LogEntry.objects.get()
    assert "br4ndnewc0de" not in entry.change_message + entry.object_repr
    history = boss.get(reverse("admin:sync_portal_history", args=[source.pk])).content.decode()
    assert "br4ndnewc0de" not in history


@pytest.mark.parametrize(
    "address",
    [
        "https://vinilam.bitrix24.ru/",
        "https://evil.example.com/rest/1/br4ndnewc0de/",
        "http://vinilam.bitrix24.ru/rest/1/br4ndnewc0de/",
        "br4ndnewc0de",
    ],
)
def test_wrong_address_is_refused_without_being_shown(
    source: Portal, boss: Client, settings: Any, address: str
) -> None:
    settings.PORTAL_HOSTS, settings.ALLOW_PRIVATE_HOSTS = ["*.bitrix24.ru"], False
    html = boss.post(change_of(source), form_of(source, webhook_url=address)).content.decode()
    assert "errorlist" in html
    assert "br4ndnewc0de" not in html
    assert CODE in Portal.objects.get().webhook_url


@pytest.mark.parametrize("debug", [True, False])
def test_error_page_masks_what_was_posted(source: Portal, boss: Client, settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    boss.raise_request_exception = False
    form = form_of(source, webhook_url=NEW, inbound_token="t0p-secret-token")
    with connection.execute_wrapper(refuse_portals):
        answer = boss.post(change_of(source) + "?token=qu3ry-token", form)
    html = answer.content.decode()
    assert answer.status_code == 500
    assert ("RuntimeError" in html) is debug
    for secret in ("br4ndnewc0de", "t0p-secret-token", "qu3ry-token", CODE, TOKEN):
        assert secret not in html, html[html.index(secret) - 300 :][:400]


def test_parameters_are_masked(route: Route, boss: Client) -> None:
    params = {"contact_info": "Иван, +7 912 345-67-89, ivan@example.com", "token": "abc-token-value"}
    event = Event.objects.create(
        portal=route.source,
        fingerprint="1",
        entity="deal",
        record_id="1",
        params=params,
        details={"auth": "zzz-auth"},
    )
    job = make_job(route, params=params)
    for page in (change_of(event), change_of(job)):
        html = boss.get(page).content.decode()
        assert "Иван" in html
        for hidden in ("345-67-89", "ivan@example.com", "abc-token-value", "zzz-auth"):
            assert hidden not in html


def test_page_of_a_portal_gives_the_address_for_its_webhooks(source: Portal, boss: Client) -> None:
    html = boss.get(change_of(source)).content.decode()
    assert 'value="http://testserver/inbound/from-source"' in html
    assert "Токен сохранён" in html


def test_pages_bring_no_inline_scripts(route: Route, boss: Client) -> None:
    make_history(route, 6)
    for page in (
        reverse("admin:index"),
        change_of(route),
        change_of(route.source),
        change_of(route.jobs.first()),
    ):
        html = boss.get(page).content.decode()
        assert "<script>" not in html
        assert "onclick=" not in html
        assert "style=" not in html
