"""Which addresses we call: the allow-list, the webhook address taken apart, a portal that has moved.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/change-domen.html
"""

import ipaddress
import re
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from sync.connectors.types import Access
from sync.errors import NeedsStaff
from sync.i18n import gettext as _

_WEBHOOK_PATH = re.compile(r"/rest/\d+/[\w-]+/?", re.ASCII)
LOGIN_WORDS = ("/auth", "login", "/passport", "/stub", "oauth/authorize")


def checked_base(access: Access) -> str:
    """The portal's REST base ending in "/", once its scheme, host and port are allowed; NeedsStaff
    otherwise.
    """
    parts = _split(access.url, access)
    why = fault_of(parts, access)
    if why:
        raise NeedsStaff(
            _("%(portal)s: %(why)s") % {"portal": access.portal, "why": why}, code="HOST_NOT_ALLOWED"
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/", "", ""))


def webhook_address(access: Access) -> str:
    """The incoming webhook's address with its last slash; ValueError, without the secret, if it is none.

    https://apidocs.bitrix24.com/local-integrations/local-webhooks.html
    """
    try:
        parts = urlsplit(access.url)
        fault = fault_of(parts, access)
    except ValueError as error:  # a port or an IPv6 host that is none
        raise ValueError(_("this is not an address")) from error
    if fault:
        raise ValueError(fault)
    if parts.query or parts.fragment or not _WEBHOOK_PATH.fullmatch(parts.path):
        raise ValueError(_("an incoming webhook looks like https://HOST/rest/USER/CODE/"))
    return access.url.rstrip("/") + "/"


def fault_of(parts: SplitResult, access: Access) -> str:
    """Why this address must not be called, as a sentence with what to do; empty when it may be."""
    host = (parts.hostname or "").rstrip(".")
    is_private = access.allow_private and is_private_host(host)
    if not host or not host.isascii() or parts.username is not None or parts.password is not None:
        return _("the address is not a webhook address; copy it again from the portal.")
    if parts.scheme != "https" and not (parts.scheme == "http" and access.allow_private):
        return _("the address must begin with https:// .")
    if parts.port not in (None, 443) and not access.allow_private:
        return _("port %(port)s is not allowed; the address must have no port.") % {"port": parts.port}
    if is_private or any(fnmatchcase(host, pattern.strip().lower()) for pattern in access.hosts):
        return ""
    return _(
        "the host %(host)s is not on the allow-list; check the address or add the host to PORTAL_HOSTS."
    ) % {"host": host}


def is_private_host(host: str) -> bool:
    """Whether a host is on this machine or network by its looks: a private IP, localhost, a name without
    dots.
    """
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


def moved_base(base: str, *, requested: str, location: str, access: Access) -> str:
    """The REST base on the portal's new host, read from a redirect; NeedsStaff when that is no mere move.

    Only the host is taken from the redirect; the path with the secret stays ours.
    """
    parts = _split(location, access, relative_to=requested)
    is_same_host = parts.netloc.lower() == urlsplit(base).netloc.lower()
    if is_same_host or leads_to_login(parts, requested):
        raise NeedsStaff(
            _(
                "%(portal)s: the portal sends us to a login page; the webhook was deleted or the portal is "
                "closed to REST. Make a new incoming webhook and put its address into the portal's settings "
                "here."
            )
            % {"portal": access.portal},
            code="REDIRECT",
        )
    if fault_of(parts, access):
        raise NeedsStaff(
            _(
                '%(portal)s: the portal sends us to "%(host)s", which is not an allowed host. If the portal '
                "has moved there, put the new address into its settings (and the host into PORTAL_HOSTS)."
            )
            % {"portal": access.portal, "host": parts.hostname or ""},
            code="REDIRECT",
        )
    return urlunsplit((parts.scheme, parts.netloc, urlsplit(base).path, "", ""))


def leads_to_login(parts: SplitResult, requested: str) -> bool:
    """Whether a redirect looks like a login page; one to the path we asked for is none, whatever its
    words.
    """
    path = parts.path.lower()
    if path.rstrip("/") == urlsplit(requested).path.lower().rstrip("/"):
        return False
    return any(word in f"{path}?{parts.query}".lower() for word in LOGIN_WORDS)


def _split(url: str, access: Access, *, relative_to: str = "") -> SplitResult:
    try:
        parts = urlsplit(urljoin(relative_to, url.strip()))
        parts.port  # noqa: B018  # a port that is no number raises only when asked for
    except ValueError as fault:
        raise NeedsStaff(
            _("%(portal)s: an address of the portal cannot be read; copy it again from the portal.")
            % {"portal": access.portal},
            code="HOST_NOT_ALLOWED",
        ) from fault
    return parts
