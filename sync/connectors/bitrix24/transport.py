"""HTTP to one portal, and what every fault of the wire means.

The question a fault must answer is "did it run?". It did not when no connection came to stand: that
includes a TLS handshake that failed. Once a connection stands (fresh or kept alive) nobody can tell, so it
is unknown.
"""

import json
import socket
import time
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.client import HTTPSession
from requests_hardened.config import Config
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from sync.connectors.types import Access
from sync.errors import NeedsStaff, OutcomeUnknown, PortalAway, Refused, SyncError
from sync.i18n import gettext as _

USER_AGENT = "B24-Interconnector/0.1.0"
CHUNK = 64 * 1024
MAX_ANSWER_BYTES = 512 * 1024 * 1024  # 2 500 deals with 200 KB of comments each


@dataclass(frozen=True)
class RawResponse:
    """One HTTP answer, read to its end."""

    status: int
    headers: requests.structures.CaseInsensitiveDict[str]
    body: bytes
    url: str


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError) as fault:
            raise _not_connected(self, fault) from fault


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        # urllib3 reports a reset or a silence during the handshake like one after sending; they are not
        # the same
        try:
            super().connect()
        except (OSError, HTTPError) as fault:
            raise _not_connected(self, fault) from fault


def _not_connected(connection: HTTPConnection, fault: Exception) -> Exception:
    if isinstance(fault, NewConnectionError):
        return fault
    return NewConnectionError(connection, f"{type(fault).__name__}: {fault}")


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _PublicAdapter(IPFilterAdapter):
    """Refuses private addresses, also when a public name resolves to one."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


class _AnyAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


class _Session(HTTPSession):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never follow one here: requests reads even those it does not follow, and may fail at them."""


def open_session(access: Access) -> requests.Session:
    """A session for one portal: no redirects, no proxies or .netrc from the environment, private addresses
    refused.

    The environment is not trusted because a proxy would see the secrets, .netrc would add an Authorization
    header, and the address filter would then check the proxy instead of the portal.
    """
    session = _Session(
        Config(
            ip_filter_enable=False,  # our own adapters below do it
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=(access.connect_timeout, access.read_timeout),
            user_agent_override=USER_AGENT,
        )
    )
    session.trust_env = False
    # a PHP session of one call would hold up the next, and might speak for another user
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for prefix in ("https://", "http://"):
        adapter = _AnyAdapter() if access.allow_private else _PublicAdapter(prefix == "https://")
        session.mount(prefix, adapter)
    return session


def send(
    session: requests.Session, request: requests.Request, *, access: Access, max_bytes: int
) -> RawResponse:
    """Send one request and read the answer to its end, within `read_timeout` seconds as a whole.

    Raises PortalAway, OutcomeUnknown, NeedsStaff, or Refused when the answer is longer than `max_bytes`.
    """
    started = time.monotonic()
    try:
        response = session.send(session.prepare_request(request), stream=True)
        try:
            return _read(response, access=access, deadline=started + access.read_timeout, max_bytes=max_bytes)
        finally:
            response.close()  # read to its end, the connection is kept; else it is cut
    except (requests.RequestException, HTTPError, UnicodeError) as fault:
        # the fault's own text holds the address with the secret, so neither it nor the cause travels on
        raise fault_of(fault, access) from None


def _read(response: requests.Response, *, access: Access, deadline: float, max_bytes: int) -> RawResponse:
    chunks: list[bytes] = []
    size = 0
    # read1 returns what is there, so that a portal which drips bytes meets the deadline too
    while chunk := response.raw.read1(CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise Refused(
                _("%(portal)s: the answer is larger than %(size)s bytes.")
                % {"portal": access.portal, "size": f"{max_bytes:,}"},
                code="TOO_LARGE",
            )
        if time.monotonic() > deadline:
            raise _too_slow(access)
    return RawResponse(response.status_code, response.headers, b"".join(chunks), response.url or "")


def fault_of(fault: Exception, access: Access) -> SyncError:
    """What a fault of requests or urllib3 means for us."""
    name = {"portal": access.portal}
    if isinstance(fault, InvalidIPAddress):
        return NeedsStaff(
            _(
                "%(portal)s: the portal's host leads to a private network address, which is refused. Check "
                "the address; for portals inside your own network set ALLOW_PRIVATE_HOSTS."
            )
            % name,
            code="PRIVATE_ADDRESS",
        )
    if isinstance(fault, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | UnicodeError):
        return NeedsStaff(
            _("%(portal)s: the address cannot be called; copy it again from the portal.") % name,
            code="BAD_ADDRESS",
        )
    causes = list(_chain(fault))
    if any(
        isinstance(cause, NewConnectionError | requests.ConnectTimeout | socket.gaierror) for cause in causes
    ):
        return _away(access, causes)
    if any(isinstance(cause, requests.ReadTimeout | ReadTimeoutError) for cause in causes):
        return _too_slow(access)
    return OutcomeUnknown(
        _(
            "%(portal)s: the connection broke before the answer was complete (%(fault)s); whether the "
            "request ran is not known."
        )
        % {**name, "fault": type(causes[-1]).__name__},
        code="CONNECTION_BROKEN",
    )


def _away(access: Access, causes: list[BaseException]) -> PortalAway:
    """No connection came to stand. A bad certificate counts as this too: nothing ran, and mostly the other
    side repairs it; when it does, everything goes on without a click.
    """
    words = " ".join(str(cause) for cause in causes)
    if "CERTIFICATE" in words.upper():
        return PortalAway(
            _(
                "%(portal)s: the portal's TLS certificate is not valid; nothing was sent. If it lasts, check "
                "this machine's clock and CA certificates, and the portal's address."
            )
            % {"portal": access.portal},
            after=300,
            code="TLS",
        )
    if "resolve" in words.lower():
        message = _("%(portal)s: the portal cannot be reached: its name does not resolve.")
    else:
        message = _("%(portal)s: the portal cannot be reached: no connection could be made.")
    return PortalAway(message % {"portal": access.portal}, code="UNREACHABLE")


def _too_slow(access: Access) -> OutcomeUnknown:
    return OutcomeUnknown(
        _("%(portal)s: no complete answer within %(seconds)g seconds; whether the request ran is not known.")
        % {"portal": access.portal, "seconds": access.read_timeout},
        is_timeout=True,
        code="TIMEOUT",
    )


def _chain(fault: BaseException) -> Any:
    """The fault and everything it wraps: urllib3 keeps causes in `reason` and `args`, Python in
    `__cause__`.
    """
    waiting: list[BaseException] = [fault]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        inner = [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
        waiting.extend(item for item in inner if isinstance(item, BaseException))


def as_json(body: bytes) -> Any:
    """The body as JSON; ValueError when it is none. PHP sends UTF-8 and sometimes a byte order mark."""
    return json.loads(body.decode("utf-8-sig"))
