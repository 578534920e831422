"""Settings: keys, hosts, and switches that must be off in production."""

from collections.abc import Iterator

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from sync.flows.findings import Finding, fault, ok, warn
from sync.models.secret import cipher

WHERE = "settings"
MIN_KEY = 32
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


def check_settings() -> Iterator[Finding]:
    """Examine the environment's settings; secrets are checked, never shown."""
    yield from _keys()
    yield from _hosts()
    if settings.DEBUG:
        yield warn(WHERE, _("DEBUG is on: error pages show the inside."), _("Set DEBUG=false in production."))
    if not settings.HTTPS:
        yield warn(WHERE, _("HTTPS is off: cookies and redirects allow plain http."), _("Set HTTPS=true."))
    if settings.ALLOW_PRIVATE_HOSTS:
        yield warn(
            WHERE,
            _("ALLOW_PRIVATE_HOSTS is on: portals may be on private addresses and without TLS."),
            _("Switch it off unless a portal stands in your own network."),
        )
    if settings.REDIS_URL:
        yield _redis()


def _keys() -> Iterator[Finding]:
    if len(settings.SECRET_KEY) < MIN_KEY:
        yield warn(WHERE, _("SECRET_KEY is short."), _("Put a random text of 50 characters into it."))
    else:
        yield ok(WHERE, _("SECRET_KEY is set."))
    try:
        cipher()
    except ImproperlyConfigured as error:
        yield fault(WHERE, str(error))
    else:
        count = len(settings.FIELD_ENCRYPTION_KEYS)
        yield ok(WHERE, _("FIELD_ENCRYPTION_KEYS holds %d valid key(s).") % count)


def _hosts() -> Iterator[Finding]:
    hosts = set(settings.ALLOWED_HOSTS)
    if "*" in hosts:
        yield warn(
            WHERE,
            _("ALLOWED_HOSTS allows every host name."),
            _("Name the hosts that webhooks and staff really use."),
        )
    elif hosts <= LOOPBACK_HOSTS:
        yield warn(
            WHERE,
            _("ALLOWED_HOSTS names this machine only: webhooks from outside are answered 400."),
            _("Add the host name that portals call."),
        )
    else:
        yield ok(WHERE, _("ALLOWED_HOSTS: %s.") % ", ".join(sorted(hosts)))


def _redis() -> Finding:
    try:
        cache.get("doctor")
    except (RedisError, OSError) as error:
        return fault(
            WHERE,
            _("The cache of REDIS_URL does not answer (%s).") % type(error).__name__,
            _("Start Redis, correct REDIS_URL, or leave it empty: the cache is optional."),
        )
    return ok(WHERE, _("The cache of REDIS_URL answers."))
