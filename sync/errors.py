"""Every exception we raise.

SyncError                    base; its text is a sentence for staff, without secrets
├── TryLater                 time helps: network, 5xx, a record that is not there yet
│   ├── Throttled            the portal's limits; refused before it ran, so no attempt is spent
│   ├── PortalAway           nobody answered, the request did not run; the breaker counts it
│   ├── NotYet               it waits for other work of ours; no attempt is spent
│   └── OutcomeUnknown       it may have run: cut answer, time-out, 5xx in the middle of a write
├── NeedsStaff               a person changes a setting (mapping, key, right), then one click
├── Refused                  the portal understood and said no
└── ConfigRefused            a configuration file with mistakes; nothing was changed
WebhookRejected              at the HTTP edge only: no Event exists, the sender gets the status
Malformed                    at the edge of RabbitMQ only: the message becomes a dead letter with the reason

What follows from an error is decided in one place, `sync/engine`. Any other exception is a bug.
"""

from collections.abc import Iterable
from typing import ClassVar


class SyncError(Exception):
    """What happened, where (portal, route, field, value) and what to do, in one sentence for staff.

    `code` is the vendor's own word for it when there was one, `status` the HTTP status.
    """

    is_portal_wide: bool = False

    def __init__(self, message: str, *, code: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class TryLater(SyncError):
    """Time helps. `after`: seconds to wait if the other side named them, else the retry policy decides."""

    spends_attempt: ClassVar[bool] = True

    def __init__(
        self, message: str, *, after: float | None = None, code: str = "", status: int | None = None
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.after = after


class Throttled(TryLater):
    """The portal's limits said no before anything ran. `method` is set when only that method is blocked."""

    spends_attempt = False

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        method: str = "",
        code: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(message, after=after, code=code, status=status)
        self.method = method


class PortalAway(TryLater):
    """The portal could not be reached at all; the request did not run."""

    is_portal_wide = True
    spends_attempt = False


class NotYet(TryLater):
    """It waits for other work of ours that has not ended yet."""

    spends_attempt = False


class OutcomeUnknown(TryLater):
    """The request may or may not have run; whoever sent it must look before repeating a create.

    `is_timeout`: the portal was still at work when our patience ended; a smaller parcel may pass.
    """

    is_portal_wide = True

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        is_timeout: bool = False,
        code: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(message, after=after, code=code, status=status)
        self.is_timeout = is_timeout


class NeedsStaff(SyncError):
    """A person fixes a setting (unmapped value, wrong key, missing right), then presses Retry."""


class Refused(SyncError):
    """The portal understood the request and said no (validation, deleted record)."""


class ConfigRefused(SyncError):
    """A configuration file with mistakes, nothing was changed; `problems` are sentences, one a mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class WebhookRejected(Exception):
    """A webhook we do not accept: HTTP `status`, machine word `code`, sentence for the sender.

    The sentence stays English: programs and those who write them read it, not staff.
    """

    STATUS_OF: ClassVar[dict[str, int]] = {
        "unauthorized": 401,
        "unknown_portal": 404,
        "missing_id": 400,
        "invalid_id": 400,
        "invalid_json": 400,
        "invalid_body": 400,
        "body_too_large": 413,
        "database_away": 503,
    }

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = self.STATUS_OF[code]


class Malformed(Exception):
    """A message nobody can act on; `reason` says what is wrong with it, and where.

    The sentence stays English: it travels with the dead letter, to whoever wrote the program that sent it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
