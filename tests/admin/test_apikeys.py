"""API keys in the admin: shown once, to their maker; revoked with permission, after a confirmation."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.models import ApiKey

ADD, LIST = reverse("admin:sync_apikey_add"), reverse("admin:sync_apikey_changelist")
NEW_KEY_PAGE = reverse("admin:sync_apikey_fresh")
FORM = {"name": "Сайт", "scopes": ["users:read", "users:write"], "expires_at_0": "", "expires_at_1": ""}


def page_of(key: ApiKey) -> str:
    """The address of the key's page."""
    return reverse("admin:sync_apikey_change", args=[key.pk])


def button_of(key: ApiKey) -> str:
    """The address of the key's button "Revoke"."""
    return reverse("admin:sync_apikey_run", args=[key.pk, "revoke"])


def make_key(client: Client, **changes: Any) -> str:
    """Make a key by the form; its text as the page shows it."""
    answer = client.post(ADD, FORM | changes, follow=True)
    assert answer.redirect_chain == [(NEW_KEY_PAGE, 302)], answer.content.decode()
    found = re.search(r'id="fresh-key"[^>]* value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def store_key(**fields: Any) -> ApiKey:
    """Store a key; its row."""
    key = ApiKey(name="Сайт", scopes=["users:read"], **fields)
    key.issue()
    key.save()
    return key


def test_a_key_is_shown_once_and_works(boss: Client) -> None:
    key = make_key(boss)
    row = ApiKey.objects.get()
    assert (row.name, row.scopes, row.expires_at) == ("Сайт", ["users:read", "users:write"], None)
    assert row.created_by.username == "boss"
    assert boss.get("/users", headers={"x-api-key": key}).status_code == 200
    again = boss.get(NEW_KEY_PAGE, follow=True)
    assert again.redirect_chain == [(LIST, 302)]
    assert "Ключ показывается один раз" in again.content.decode()


def test_the_page_of_a_new_key_is_not_cached(boss: Client) -> None:
    boss.post(ADD, FORM)
    assert "no-store" in boss.get(NEW_KEY_PAGE).headers["Cache-Control"]


def test_nobody_can_read_a_key_or_its_digest_again(boss: Client) -> None:
    boss.post(ADD, FORM)
    row = ApiKey.objects.get()
    waiting = Session.objects.get().get_decoded()["fresh_api_key"]
    assert row.prefix not in waiting
    key = re.search(r'value="(b24i_[^"]+)"', boss.get(NEW_KEY_PAGE).content.decode())[1]
    assert "fresh_api_key" not in Session.objects.get().get_decoded()
    history = reverse("admin:sync_apikey_history", args=[row.pk])
    for page in (LIST, page_of(row), history, reverse("admin:index")):
        html = boss.get(page).content.decode()
        assert key not in html
        assert row.digest not in html
    entry = LogEntry.objects.get()
    assert key not in entry.object_repr + entry.change_message


def test_a_key_is_shown_to_its_maker_only(boss: Client, staff: Callable[..., Client]) -> None:
    boss.post(ADD, FORM)
    assert staff("view_apikey", "add_apikey").get(NEW_KEY_PAGE).status_code == 302
    assert boss.get(NEW_KEY_PAGE).status_code == 200


def test_a_key_may_do_something_and_ends_in_the_future(boss: Client) -> None:
    past = timezone.localtime(timezone.now() - timedelta(minutes=5))
    for wrong in (
        {"scopes": []},
        {"scopes": ["users:everything"]},
        {"name": ""},
        {"expires_at_0": past.strftime("%d.%m.%Y"), "expires_at_1": past.strftime("%H:%M:%S")},
    ):
        assert "errorlist" in boss.post(ADD, FORM | wrong).content.decode()
    assert ApiKey.objects.count() == 0
    make_key(boss, expires_at_0="01.01.2099", expires_at_1="00:00:00")
    assert ApiKey.objects.get().expires_at.year in (2098, 2099)


@pytest.mark.parametrize("rights", [(), ("view_apikey",), ("view_apikey", "change_apikey")])
def test_only_those_who_may_make_keys(staff: Callable[..., Client], rights: tuple[str, ...]) -> None:
    client = staff(*rights)
    assert client.get(ADD).status_code == client.post(ADD, FORM).status_code == 403
    assert ApiKey.objects.count() == 0


def test_a_key_cannot_be_changed_or_deleted(boss: Client) -> None:
    key = store_key()
    assert boss.post(page_of(key), {"name": "x", "scopes": ["users:write"]}).status_code == 403
    assert boss.post(reverse("admin:sync_apikey_delete", args=[key.pk]), {"post": "yes"}).status_code == 403
    assert ApiKey.objects.get().scopes == ["users:read"]


@pytest.mark.parametrize("rights", [("view_apikey",), ("view_apikey", "add_apikey")])
def test_revoking_needs_its_own_right(staff: Callable[..., Client], rights: tuple[str, ...]) -> None:
    key, client = store_key(), staff(*rights)
    assert client.post(button_of(key), {"sure": "yes"}).status_code == 403
    client.post(LIST, {"action": "revoke", "index": 0, "_selected_action": [key.pk], "sure": "yes"})
    assert ApiKey.objects.get().revoked_at is None


def test_revoking_asks_first(staff: Callable[..., Client]) -> None:
    client = staff("view_apikey", "change_apikey")
    one, other = store_key(), store_key()
    listed: dict[str, Any] = {"action": "revoke", "index": 0, "_selected_action": [one.pk]}
    for ask in (
        lambda **sure: client.post(LIST, listed | sure),
        lambda **sure: client.post(button_of(other), sure),
    ):
        answer: HttpResponse = ask()
        assert (answer.status_code, "Да, отозвать" in answer.content.decode()) == (200, True)
        assert "csrfmiddlewaretoken" in answer.content.decode()
    assert ApiKey.objects.filter(revoked_at=None).count() == 2
    client.post(LIST, listed | {"sure": "yes"})
    answer = client.post(button_of(other), {"sure": "yes"}, follow=True)
    assert "отозван" in answer.content.decode()
    assert ApiKey.objects.filter(revoked_at=None).count() == 0
    assert LogEntry.objects.filter(change_message="Отозвать").count() == 2


def test_a_revoked_key_stays_revoked(boss: Client) -> None:
    key = store_key(revoked_at=timezone.now() - timedelta(days=1))
    assert "button-revoke" not in boss.get(page_of(key)).content.decode()
    boss.post(button_of(key), {"sure": "yes"})
    assert ApiKey.objects.get().revoked_at == key.revoked_at
    assert LogEntry.objects.count() == 0


def test_the_list_shows_the_state_of_keys(boss: Client) -> None:
    now = timezone.now()
    store_key()
    store_key(revoked_at=now)
    store_key(expires_at=now - timedelta(seconds=1))
    html = boss.get(LIST).content.decode()
    assert [html.count(f">{word}</span>") for word in ("работает", "отозван", "срок истёк")] == [1, 1, 1]


def test_pages_bring_no_inline_scripts(boss: Client) -> None:
    boss.post(ADD, FORM)
    pages = [boss.get(NEW_KEY_PAGE), boss.post(button_of(ApiKey.objects.get()))]
    for page in pages:
        html = page.content.decode()
        assert "<script>" not in html
        assert "onclick=" not in html
