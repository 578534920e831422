"""Mistakes in the settings that `manage.py check` reports."""

from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.translation import gettext

MIN_WATCHDOG = 20
"""Seconds; a cluster needs some to start on a busy machine."""


def check_encryption_keys(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Every key of FIELD_ENCRYPTION_KEYS is a Fernet key; a wrong one is named only by its place."""
    return [
        Error(
            gettext("FIELD_ENCRYPTION_KEYS: key %(place)d is not a Fernet key (32 bytes in URL-safe base64).")
            % {"place": place},
            hint=gettext(
                "`make env` writes a good one; docs/configuration.md tells how to make and rotate them."
            ),
            id="sync.E001",
        )
        for place, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, start=1)
        if not _is_fernet_key(key)
    ]


def check_portal_hosts(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """PORTAL_HOSTS names hosts, and no pattern that covers half the internet."""
    if not settings.PORTAL_HOSTS:
        return [
            Error(
                gettext("PORTAL_HOSTS is empty: no portal can be called."),
                hint=gettext("Unset it for the vendors' own domains, or name your portals' hosts."),
                id="sync.E002",
            )
        ]
    return [
        Warning(
            gettext("PORTAL_HOSTS: %(pattern)s lets the service call hosts that are nobody's portal.")
            % {"pattern": pattern},
            hint=gettext(
                "Name the vendor's domain or the portal itself, like *.bitrix24.ru or crm.example.com."
            ),
            id="sync.W003",
        )
        for pattern in settings.PORTAL_HOSTS
        if "*" in pattern and pattern.rpartition("*")[2].strip(".").count(".") < 1
    ]


def check_worker_settings(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The workers' times and counts fit together."""
    cluster: dict[str, Any] = settings.Q_CLUSTER
    found: list[CheckMessage] = []
    if cluster["retry"] <= cluster["timeout"]:
        found.append(
            Error(
                gettext(
                    "Q_CLUSTER: retry must be longer than timeout, else running tasks are started twice."
                ),
                id="sync.E004",
            )
        )
    if cluster["workers"] < 1:
        found.append(Error(gettext("WORKERS must be at least 1."), id="sync.E005"))
    if settings.WATCHDOG_SECONDS < MIN_WATCHDOG:
        found.append(
            Warning(
                gettext(
                    "WATCHDOG_SECONDS is %(seconds)s: a cluster that is slow to start would be restarted "
                    "before it is ready."
                )
                % {"seconds": settings.WATCHDOG_SECONDS},
                hint=gettext("At least %(seconds)s; 60 is good.") % {"seconds": MIN_WATCHDOG},
                id="sync.W006",
            )
        )
    return found


def check_retention(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """History is kept at least a day: staff read it, and duplicate webhooks are found by it."""
    if settings.RETENTION_DAYS >= 1:
        return []
    return [Error(gettext("RETENTION_DAYS must be at least 1."), id="sync.E007")]


def check_private_hosts(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """In production no portal may be in our own network."""
    if settings.DEBUG or not settings.ALLOW_PRIVATE_HOSTS:
        return []
    return [
        Warning(
            gettext(
                "ALLOW_PRIVATE_HOSTS is on: whoever edits a portal can have the service call your own "
                "network, over plain http."
            ),
            hint=gettext("Unset it; it is for the demo and tests."),
            id="sync.W008",
        )
    ]


ALWAYS = (check_encryption_keys, check_portal_hosts, check_worker_settings, check_retention)
BEFORE_DEPLOY = (check_private_hosts,)


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
