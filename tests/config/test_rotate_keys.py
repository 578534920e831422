"""rotate_keys: every secret under the first key, nothing lost on the way."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from sync.management.commands.rotate_keys import chunks, rewrite, secret_columns
from sync.models import Portal

pytestmark = pytest.mark.django_db

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
URL = "https://vinilam.bitrix24.ru/rest/1/Code/"


@pytest.fixture
def portals(settings) -> list[Portal]:
    """Portals whose secrets are encrypted with the old key."""
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    rows = [Portal(slug=f"p{n}", name="P", webhook_url=f"{URL}{n}", inbound_token="t") for n in range(3)]
    return Portal.objects.bulk_create([*rows, Portal(slug="open", name="P", webhook_url=URL)])


def rotate(**options) -> str:
    """Run the command; what it prints."""
    out = StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def stored() -> list[str]:
    """The secrets as the database stores them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT webhook_url, inbound_token FROM sync_portal ORDER BY id")
        return [token for row in cursor.fetchall() for token in row]


def test_secrets_are_readable_with_the_first_key_alone(portals, settings, monkeypatch):
    monkeypatch.setattr("sync.management.commands.rotate_keys.CHUNK", 2)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert [row.webhook_url for row in Portal.objects.order_by("id")] == [
        URL + "0",
        URL + "1",
        URL + "2",
        URL,
    ]
    assert [row.inbound_token for row in Portal.objects.order_by("id")] == ["t", "t", "t", ""]


def test_without_rotation_the_old_key_is_still_needed(portals, settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(ImproperlyConfigured):
        list(Portal.objects.all())


def test_a_dry_run_changes_nothing(portals, settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    before = stored()
    rotate(dry_run=True)
    assert stored() == before


def test_a_second_run_rewrites_nothing(portals, settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    before = stored()
    rotate()
    assert stored() == before


def test_a_secret_saved_meanwhile_is_not_overwritten(portals, settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    column = next(column for column in secret_columns() if column == (Portal, "webhook_url"))
    (pk, token), *_others = next(chunks(column))
    Portal.objects.filter(pk=pk).update(webhook_url="https://new.bitrix24.ru/rest/1/Fresh/")
    assert rewrite(column, pk, token) == 0
    assert Portal.objects.get(pk=pk).webhook_url == "https://new.bitrix24.ru/rest/1/Fresh/"


def test_a_secret_whose_key_is_gone_is_an_error(portals, settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    before = stored()
    with pytest.raises(CommandError):
        rotate()
    assert stored() == before
