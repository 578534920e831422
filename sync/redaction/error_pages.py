"""Error pages and error reports without secrets, whatever DEBUG says.

https://docs.djangoproject.com/en/5.2/howto/error-reporting/#filtering-error-reports
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pprint import pformat
from traceback import walk_tb
from types import FrameType
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from sync.redaction.masking import HIDDEN, is_secret_key, mask

SETTINGS_WITH_SECRETS = re.compile(
    "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|DATABASE|_URL$|DSN|DB_", re.IGNORECASE
)
MIN_SECRET = 6
"""Characters; hiding shorter words would make the page unreadable."""

VARIABLES_WITH_SECRETS = ("webhook_url", "inbound_token")
"""The names that `Portal` has for them; models cannot be imported here, logging is set up before them."""


class Masked:
    """A value as an error page shows it: its text, masked."""

    def __init__(self, value: Any) -> None:
        self.text = _text(value)

    def __repr__(self) -> str:
        return self.text


class MaskingReporterFilter(SafeExceptionReporterFilter):
    """Django's filter, but active even when DEBUG is on, and masking inside values, too."""

    hidden_settings = SETTINGS_WITH_SECRETS

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always: people send screenshots of error pages around."""
        return True

    def get_safe_request_meta(self, request: HttpRequest | None) -> Any:
        """Headers and, under runserver, the environment, without secrets."""
        meta = super().get_safe_request_meta(request)  # type: ignore[arg-type]
        return {name: mask(value) if isinstance(value, str) else value for name, value in meta.items()}

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        """What was posted, without secrets."""
        posted = super().get_post_parameters(request)
        return {name: _shown(name, value) for name, value in posted.items()}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        """Local variables, without secrets."""
        found = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, _shown(name, value)) for name, value in found]


class MaskingReporter(ExceptionReporter):
    """The report itself: an exception's own text may quote a secret."""

    def get_traceback_data(self) -> dict[str, Any]:
        """Django's report with the texts of exceptions and the query's parameters masked."""
        data: dict[str, Any] = super().get_traceback_data()
        if "exception_value" in data:
            data["exception_value"] = mask(str(data["exception_value"]))
        for frame in data.get("frames", ()):
            if frame.get("exc_cause"):
                frame["exc_cause"] = mask(str(frame["exc_cause"]))
        if "request_GET_items" in data:
            data["request_GET_items"] = [
                (name, _shown(name, value)) for name, value in data["request_GET_items"]
            ]
        return data

    def get_traceback_html(self) -> SafeString:
        """The page, masked once more as a whole: the address of the request is in many places."""
        return SafeString(self._without_known_secrets(mask(super().get_traceback_html())))

    def get_traceback_text(self) -> SafeString:
        """The same as plain text."""
        return SafeString(self._without_known_secrets(mask(super().get_traceback_text())))

    def _without_known_secrets(self, page: str) -> str:
        """Hide known secrets by value: a bare token in a list looks like any word."""
        for secret in sorted(self._known_secrets(), key=len, reverse=True):
            if len(secret) >= MIN_SECRET:
                page = page.replace(escape(secret), HIDDEN)
        return page

    def _known_secrets(self) -> set[str]:
        """Secrets that were posted, and those of the rows in the traceback's local variables."""
        posted = self.request.POST.items() if self.request else ()
        known = {str(value) for name, value in posted if _is_secret(name)}
        for frame, _line in walk_tb(self.tb):
            rows = [value for value in frame.f_locals.values() if isinstance(value, Model)]
            known |= {secret for row in rows for secret in _secrets_of(row)}
        return known


def _shown(name: str, value: Any) -> Any:
    return HIDDEN if _is_secret(name) else Masked(value)


def _is_secret(name: str) -> bool:
    return is_secret_key(name) or name in VARIABLES_WITH_SECRETS


def _secrets_of(row: Model) -> Iterator[str]:
    """The secrets of a row that are loaded; a deferred one is not fetched for this."""
    found = (row.__dict__.get(name) for name in VARIABLES_WITH_SECRETS)
    return (secret for secret in found if isinstance(secret, str))


def _text(value: Any) -> str:
    try:
        return mask(pformat(value))
    except Exception as error:  # noqa: BLE001  # a broken repr must not break the error page
        return f"({type(value).__name__} whose text cannot be made: {type(error).__name__})"
