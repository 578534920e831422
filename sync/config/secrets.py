"""Secrets in the file: `${NAME}` stands for an environment variable; a webhook address is checked."""

import re
from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext as _

from sync.connectors import CONNECTORS
from sync.connectors.types import Access

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def from_environment(value: str, environ: Mapping[str, str]) -> str:
    """The secret itself, or what the variable it names holds; ValueError when that is not set or not whole.

    Only a whole value can be a variable: nobody may build an address around another program's secret.
    """
    variable = _VARIABLE.fullmatch(value.strip())
    if variable is None and "${" in value:
        raise ValueError(_("a ${VARIABLE} must be the whole value"))
    if variable is None:
        return value.strip()
    found = environ.get(variable[1], "").strip()
    if not found:
        raise ValueError(_("the environment variable %(name)s is not set") % {"name": variable[1]})
    return found


def placeholder(slug: str, column: str) -> str:
    """What stands for a portal's secret in an exported file: `${PORTAL_SOURCE_WEBHOOK_URL}`."""
    return "${" + f"PORTAL_{slug}_{column}".upper().replace("-", "_") + "}"


def address_of(kind: str, url: str) -> str:
    """A portal's address as it is stored; ValueError, without the secret, when a kind cannot have it."""
    read = CONNECTORS[kind].address
    access = Access("", url, hosts=tuple(settings.PORTAL_HOSTS), allow_private=settings.ALLOW_PRIVATE_HOSTS)
    return read(access) if read else url
