"""Staff see directories and their runs, edit, start and approve them, with their rights only."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from sync.models import Directory, Job, Object
from tests.directories.reference import counts


@pytest.fixture(autouse=True)
def plain_http(settings):
    """Let the test client use http and static files that were not collected."""
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


@pytest.fixture
def browser(transactional_db) -> Client:
    """The test client of a superuser."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("boss", password="boss-password"))
    return client


def page(browser: Client, model: str, row=None) -> str:
    """The HTML of a row's page, or of the list."""
    name = f"admin:sync_{model}_" + ("change" if row else "changelist")
    answer = browser.get(reverse(name, args=[row.pk] if row else []))
    assert answer.status_code == 200
    return answer.content.decode()


def press(browser: Client, model: str, row, button: str) -> int:
    """Press a button on a row's page; the HTTP status."""
    return browser.post(reverse(f"admin:sync_{model}_run", args=[row.pk, button])).status_code


def test_history_errors_and_the_button_on_a_held_run(reference, browser):
    reference.add(77, [{"NAME": "", "PROPERTY_637": "2001"}])
    run = reference.run()["object"]
    assert "Empty: NAME." in page(browser, "directoryrun", run)
    assert "Apply all the same" not in page(browser, "directoryrun", run).partition("page-buttons")[2]
    for row in reference.elements(77):
        reference.remove(77, row["ID"])
    held = reference.run("object")["object"]
    assert "The source shows 0 records, the table has 4." in page(browser, "directoryrun", held)
    assert "held back" in page(browser, "directoryrun")
    assert press(browser, "directoryrun", held, "approve") == 302
    reference.drain()
    held.refresh_from_db()
    assert counts(held) == {"gone": 4}
    assert Object.objects.filter(gone_at=None).count() == 0


def test_a_directory_is_edited_and_read(reference, browser):
    city = Directory.objects.get(slug="city")
    assert "Города" in page(browser, "directory")
    assert "PROPERTY_637" in page(browser, "directory", city)
    assert press(browser, "directory", city, "read_now") == 302
    assert press(browser, "directory", city, "read_now") == 302
    assert Job.objects.filter(source_id="city").count() == 1, "one that is being read is not started again"
    reference.drain()
    assert counts(city.runs.get()) == {"created": 3}
    assert page(browser, "job", Job.objects.get())
    assert page(browser, "job")
    assert page(browser, "route", city.route)
    assert page(browser, "route")


def test_parents_in_a_circle_are_refused(reference, browser):
    city, place = Directory.objects.get(slug="city"), Directory.objects.get(slug="object")
    field = city.fields.get()
    form = {
        "name": "Города", "slug": "city", "route": city.route_id, "method": city.method, "params": "{}",
        "key_column": "btxid", "gone_column": "gone_at", "adopt_by": "name", "least_share": "0.5",
        "table": "sync_city", "parent": place.pk, "parent_field": "X", "parent_column": "y",
        "fields-TOTAL_FORMS": "1", "fields-INITIAL_FORMS": "1", "fields-0-id": field.pk,
        "fields-0-directory": city.pk, "fields-0-column": "name", "fields-0-field": "NAME",
    }  # fmt: skip
    answer = browser.post(reverse("admin:sync_directory_change", args=[city.pk]), form)
    assert "The parents form a circle." in answer.content.decode()
    saved = browser.post(
        reverse("admin:sync_directory_change", args=[city.pk]),
        {**form, "parent": "", "parent_field": "", "parent_column": "", "name": "Towns"},
    )
    assert saved.status_code == 302
    assert Directory.objects.get(slug="city").name == "Towns"


def test_who_may_only_look_may_not_start(reference):
    user = User.objects.create_user("clerk", password="clerk-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_directory"))
    client = Client()
    client.force_login(user)
    assert press(client, "directory", Directory.objects.get(slug="city"), "read_now") == 403
    assert not Job.objects.exists()
