"""`manage.py check` finds wrong settings and is content with right ones."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks

RIGHT = {
    "PORTAL_HOSTS": ["*.bitrix24.ru", "crm.example.com"],
    "ALLOW_PRIVATE_HOSTS": False,
    "DEBUG": False,
    "WATCHDOG_SECONDS": 60,
    "RETENTION_DAYS": 90,
}
FERNET = "b2YtdGhlLXRlc3RzLWFuZC1ub2JvZHktZWxzZS0wMDA="


def ids_of_checks(settings, **changes: object) -> set[str]:
    """The IDs of the checks that fail with these settings changed."""
    for name, value in (RIGHT | changes).items():
        setattr(settings, name, value)
    messages = run_checks(include_deployment_checks=True)
    return {message.id for message in messages if message.id and message.id.startswith("sync.")}


def test_right_settings_pass(settings) -> None:
    assert ids_of_checks(settings) == set()


@pytest.mark.parametrize(
    ("changes", "check_id"),
    [
        ({"FIELD_ENCRYPTION_KEYS": [FERNET, "too-short"]}, "sync.E001"),
        ({"FIELD_ENCRYPTION_KEYS": ["ключ"]}, "sync.E001"),
        ({"PORTAL_HOSTS": []}, "sync.E002"),
        ({"PORTAL_HOSTS": ["*"]}, "sync.W003"),
        ({"PORTAL_HOSTS": ["*.bitrix24.ru", "*.ru"]}, "sync.W003"),
        ({"WATCHDOG_SECONDS": 5}, "sync.W006"),
        ({"RETENTION_DAYS": 0}, "sync.E007"),
        ({"ALLOW_PRIVATE_HOSTS": True}, "sync.W008"),
    ],
)
def test_a_wrong_setting_is_found(settings, changes: dict[str, object], check_id: str) -> None:
    assert ids_of_checks(settings, **changes) == {check_id}


@pytest.mark.parametrize(
    ("change", "check_id"), [({"retry": 100}, "sync.E004"), ({"workers": 0}, "sync.E005")]
)
def test_a_wrong_worker_setting_is_found(settings, change: dict[str, int], check_id: str) -> None:
    assert ids_of_checks(settings, Q_CLUSTER={**settings.Q_CLUSTER, **change}) == {check_id}


def test_private_hosts_are_fine_while_developing(settings) -> None:
    assert ids_of_checks(settings, ALLOW_PRIVATE_HOSTS=True, DEBUG=True) == set()


def test_a_wrong_key_is_not_shown(settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [FERNET, "my-secret-but-wrong-key"]
    (message,) = [one for one in run_checks() if one.id == "sync.E001"]
    assert "key 2" in str(message)
    assert "my-secret" not in str(message)
