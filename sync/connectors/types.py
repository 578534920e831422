"""What every connector speaks: values in, values out; no model rows, no Django."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sync.errors import SyncError

Record = dict[str, Any]
"""One deal or contact as fetched: the portal's upper-case field names to values."""

COMMANDS_A_REQUEST = 50
"""Commands one request may hold: what Bitrix24's batch takes, and plenty for the others."""


@dataclass(frozen=True)
class Access:
    """How to reach one portal. `url` and `token` hold secrets: they stay out of the repr; never log them.

    Times are seconds. `hosts` are the allowed host patterns (`*.bitrix24.ru`). `token` is an OAuth access
    token, for portals whose URL holds no secret.
    """

    portal: str
    url: str = field(repr=False)
    hosts: tuple[str, ...] = ()
    allow_private: bool = False
    connect_timeout: float = 5.0
    read_timeout: float = 65.0  # the vendor cuts its own work at 60
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Command:
    """One call to a portal: the vendor's method and its parameters."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What one command brought: a value, or the error it would have raised.

    `next_start`: where the next page of a list begins, None on the last page (or when the portal does not
    say). `total`: how many records the whole list has, None when the portal does not say.
    """

    value: Any = None
    error: SyncError | None = None
    next_start: int | None = None
    total: int | None = None

    def result(self) -> Any:
        """The value; raises the error there was instead."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True)
class Usage:
    """How much of a method's time budget is spent: seconds, and the Unix time when it falls."""

    seconds: float
    reset_at: float


@dataclass(frozen=True)
class Reply:
    """What one HTTP request brought: an answer per command, and what the portal said about itself.

    `new_url` is set when the portal has moved to another host (the same secret path there).
    """

    answers: Mapping[str, Answer]
    usage: Mapping[str, Usage] = field(default_factory=dict)
    new_url: str = ""


@dataclass(frozen=True)
class ListedRecord:
    """A record met in a listing: its ID, and when it was last changed if the listing tells."""

    id: str
    changed_at: datetime | None = None


@dataclass(frozen=True)
class File:
    """A downloaded file."""

    name: str
    content: bytes


@dataclass(frozen=True)
class IncomingEvent:
    """What one webhook says, in our words.

    `entity`: deal, contact, company, lead, comment, …; `action`: add, update, delete or "" (robot);
    `record_id`: the ID it is about, the sender's origin first; `origin_id`: the ID on the other side when the
    sender knows it; `own_id`: the sender's own ID when it gave one (the same as `record_id` without an
    origin); `params`: what else it brings (of webhooks: texts for mappings; technical ones and empty values
    are already gone).
    """

    entity: str
    action: str
    record_id: str
    origin_id: str = ""
    own_id: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    sent_at: str = ""


class Client(Protocol):
    """Makes the calls to one portal. One `execute` is one HTTP request."""

    def execute(self, commands: Mapping[str, Command]) -> Reply:
        """Send all commands in one request; raises TryLater, NeedsStaff or Refused for the whole."""
        ...


@dataclass(frozen=True, kw_only=True)
class Listing:
    """How to list a flow's records on the source portal, all or changed at or after an ISO moment.

    `newest`: the moment ("" = all) → the record with the largest ID; `between`: after which ID, up to which,
    the moment → the first `page` records by ID; `read`: what either answer shows, by ID.
    """

    newest: Callable[[str], Command]
    between: Callable[[int, int, str], Command]
    read: Callable[[Any], list[ListedRecord]]
    page: int
