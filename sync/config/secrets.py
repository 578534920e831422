"""Secrets in the file: `${NAME}` stands for an environment variable; a webhook address is checked."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from sync.connectors.bitrix24.address import fault_of
from sync.connectors.types import Access

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_WEBHOOK_PATH = re.compile(r"/rest/\d+/[\w-]+/?", re.ASCII)


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


def bitrix24_address(url: str) -> str:
    """The incoming webhook's address with its last slash; ValueError, without the secret, if it is none.

    https://apidocs.bitrix24.com/local-integrations/local-webhooks.html
    """
    access = Access("", url, hosts=tuple(settings.PORTAL_HOSTS), allow_private=settings.ALLOW_PRIVATE_HOSTS)
    try:
        parts = urlsplit(url)
        fault = fault_of(parts, access)
    except ValueError as error:  # a port or an IPv6 host that is none
        raise ValueError(_("this is not an address")) from error
    if fault:
        raise ValueError(fault)
    if parts.query or parts.fragment or not _WEBHOOK_PATH.fullmatch(parts.path):
        raise ValueError(_("an incoming webhook looks like https://HOST/rest/USER/CODE/"))
    return url.rstrip("/") + "/"


ADDRESS_OF_KIND: dict[str, Callable[[str], str]] = {
    "bitrix24": bitrix24_address,
}
