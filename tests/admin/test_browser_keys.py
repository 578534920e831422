"""A key is made, copied and revoked in a real browser."""

from __future__ import annotations

from typing import Any

import requests
from playwright.sync_api import Page, expect

from sync.models import ApiKey
from tests.admin.test_browser import browser, fits_the_width, log_in, page, pytestmark  # noqa: F401


def status(live_server: Any, key: str) -> int:
    """The HTTP status that a request with this key gets."""
    return requests.get(f"{live_server.url}/users", headers={"X-Api-Key": key}, timeout=30).status_code


def test_clerk_makes_copies_and_revokes_a_key(page: Page, live_server: Any) -> None:  # noqa: F811
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    log_in(page, "view_apikey", "add_apikey", "change_apikey")
    page.get_by_role("link", name="Ключи API").first.click()
    page.get_by_role("link", name="Добавить ключ API").click()
    assert fits_the_width(page)
    page.get_by_label("Название").fill("Сайт")
    page.get_by_label("читать пользователей").check()
    page.get_by_role("button", name="Сохранить").click()

    expect(page.get_by_role("heading", name="Новый ключ")).to_be_visible()
    assert fits_the_width(page)
    key = page.get_by_role("textbox", name="Ключ", exact=True).input_value()
    page.get_by_role("button", name="Скопировать").click()
    expect(page.get_by_role("button", name="Скопировано")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    assert status(live_server, key) == 200

    page.reload()
    expect(page.get_by_text("Ключ показывается один раз.")).to_be_visible()
    assert key not in page.content()
    assert ApiKey.objects.count() == 1

    page.get_by_role("link", name="Сайт", exact=True).click()
    assert fits_the_width(page)
    page.get_by_role("button", name="Отозвать").click()
    expect(page.get_by_text("Вернуть ключ нельзя")).to_be_visible()
    assert fits_the_width(page)
    page.get_by_role("link", name="Нет, оставить").click()
    page.get_by_role("link", name="Сайт", exact=True).click()
    page.get_by_role("button", name="Отозвать").click()
    page.get_by_role("button", name="Да, отозвать").click()
    expect(page.get_by_text("Отозвано")).to_be_visible()
    page.wait_for_timeout(1100)  # the web process caches a key for a second
    assert status(live_server, key) == 401
