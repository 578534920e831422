"""What staff do, in a real browser: Chromium, over the live server, on a wide and a narrow screen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sync.models import FieldMapping, Job, Portal, Route
from tests.admin.conftest import make_history, make_job

CHROMIUM = (
    os.environ.get("CHROMIUM", "") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not CHROMIUM and os.environ.get("CI") != "true",
        reason="Chromium is missing: install it, or set CHROMIUM to its path",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of the module."""
    # Playwright runs an event loop in this thread; Django would take every query for one inside async code
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM or None, args=["--no-sandbox"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(params=[1280, 390], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, live_server: Any) -> Iterator[Page]:
    """A page of a Russian browser; a script error, or what our policy refuses, fails the test."""
    context = browser.new_context(
        base_url=live_server.url, locale="ru-RU", viewport={"width": request.param, "height": 844}
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on(
        "console",
        lambda message: faults.extend([message.text] if "Content Security Policy" in message.text else []),
    )
    yield page
    context.close()
    assert faults == []


def log_in(page: Page, *rights: str) -> None:
    """Log a member of staff with these permissions in."""
    user = User.objects.create_user("clerk", password="clerk-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    page.goto("/admin/")
    page.get_by_label("Имя пользователя").fill("clerk")
    page.get_by_label("Пароль").fill("clerk-password")
    page.get_by_role("button", name="Войти").click()
    expect(page.get_by_role("heading", name="Обзор")).to_be_visible()


def fits_the_width(page: Page) -> bool:
    """Whether the page needs no horizontal scrolling."""
    page.wait_for_load_state()  # a click returns before the page that it opens has a body
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


EDITOR = ("view_job", "retry_job", "view_route", "change_route", "view_fieldmapping", "change_fieldmapping")


def test_clerk_mends_a_mapping_and_retries(page: Page, route: Route, mapping: FieldMapping) -> None:
    make_job(route, source_id="76")
    job = make_job(route, source_id="77", note='The value "застройщик" is not in the value list.')
    log_in(page, *EDITOR)
    assert fits_the_width(page)

    page.get_by_role("link", name="Задания", exact=True).first.click()
    page.locator("#searchbar").fill("https://vinilam.bitrix24.ru/crm/deal/details/77/")
    page.get_by_role("button", name="Найти").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    assert fits_the_width(page)
    page.get_by_role("link", name="ошибка: неверная настройка").click()
    expect(page.locator("p.reason")).to_contain_text("застройщик")
    expect(page.get_by_text("Исправьте настройку")).to_be_visible()
    expect(page.get_by_role("button", name="Отменить")).to_have_count(0)
    assert fits_the_width(page)

    page.get_by_role("link", name=str(route)).first.click()
    values = page.get_by_label("Список значений").first
    values.fill(values.input_value() + "\nзастройщик")
    page.get_by_role("button", name="Сохранить", exact=True).click()
    expect(page.get_by_text("Строка 3: запишите в виде")).to_be_visible()
    assert fits_the_width(page)
    values = page.get_by_label("Список значений").first
    values.fill(values.input_value() + " = 1400")
    page.get_by_role("button", name="Сохранить", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert mapping.values.get(value="застройщик").becomes == "1400"

    page.goto(f"/admin/sync/job/{job.pk}/change/")
    page.get_by_role("button", name="Повторить").click()
    expect(page.get_by_text("1 задание снова в очереди.")).to_be_visible()
    job.refresh_from_db()
    assert job.state == Job.State.WAITING


def test_clerk_adds_a_mapping_row(page: Page, route: Route) -> None:
    log_in(page, *EDITOR, "add_fieldmapping")
    page.goto(f"/admin/sync/route/{route.pk}/change/")
    page.get_by_role("button", name="Добавить ещё: поле сделки получателя").first.click()
    row = page.locator("#mappings-0")
    row.get_by_label("В поле").fill("TITLE")
    row.get_by_label("Откуда берётся").select_option("template")
    row.get_by_label("Имя или текст").fill("{TITLE} (из Винилам)")
    page.get_by_role("button", name="Сохранить", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    stored = FieldMapping.objects.get()
    assert (stored.direction, stored.to, stored.source) == ("forward", "TITLE", "{TITLE} (из Винилам)")


def test_clerk_retries_all_that_match(page: Page, route: Route) -> None:
    for _ in range(60):
        make_job(route)
    log_in(page, "view_job", "retry_job")
    page.goto("/admin/sync/job/?failure=config")
    page.locator("#action-toggle").check()
    page.locator(".actions .question a").click()
    page.locator("select[name=action]").select_option("retry")
    page.get_by_role("button", name="Выполнить").click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert Job.objects.filter(state="waiting").count() == 60


def test_secret_fields_stay_empty(page: Page, source: Portal) -> None:
    log_in(page, "view_portal", "change_portal")
    page.goto(f"/admin/sync/portal/{source.pk}/change/")
    for label in ("Адрес вебхука", "Входящий токен"):
        field = page.get_by_label(label, exact=False).and_(page.locator("input[type=password]"))
        expect(field).to_have_value("")
        expect(field).to_have_attribute("placeholder", "●●●●●●●●")
    expect(page.get_by_label("Адрес для вебхуков этого портала")).to_have_value(
        page.url.split("/admin/")[0] + "/inbound/from-source"
    )
    assert fits_the_width(page)


def test_no_screen_needs_what_the_policy_refuses(page: Page, route: Route, mapping: FieldMapping) -> None:
    make_history(route, 12)
    job = Job.objects.order_by("id").values_list("pk", flat=True)[0]
    User.objects.create_superuser("boss", password="boss-password")
    page.goto("/admin/")
    page.get_by_label("Имя пользователя").fill("boss")
    page.get_by_label("Пароль").fill("boss-password")
    page.get_by_role("button", name="Войти").click()
    links = page.locator("#content-main a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) > 15
    ours = (f"job/{job}/change", f"route/{route.pk}/change", f"portal/{route.source_id}/change")
    for address in [*links, *(f"/admin/sync/{one}/" for one in ours), "/admin/password_change/"]:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    page.goto("/api/docs/")
    expect(page.get_by_text("POST").first).to_be_visible()
    page.get_by_text("POST").first.click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()


def test_the_policy_refuses_a_script_in_the_page(browser: Browser, live_server: Any) -> None:
    page = browser.new_page(base_url=live_server.url)
    page.goto("/admin/login/")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=nowhere onerror=\"window.harm = 1\">')"
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.harm") is None
    page.close()


def test_numbers_in_lists_bear_their_names_on_a_phone(page: Page, route: Route) -> None:
    make_job(route)
    log_in(page, "view_job", "view_route")
    expect(page.locator(".queue-table")).to_contain_text(str(route))
    assert fits_the_width(page)
    page.goto("/admin/sync/route/")
    cell = page.locator("#result_list td.field-failed")
    label = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
    is_narrow = page.evaluate("window.innerWidth") < 768
    assert ("шибка" in label) == is_narrow
    assert fits_the_width(page)
    page.goto("/admin/sync/job/")
    expect(page.locator(".to-filter")).to_be_visible(visible=is_narrow)
