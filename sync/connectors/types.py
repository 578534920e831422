"""What every connector speaks: values in, values out; no model rows, no Django."""

from collections.abc import Callable, Mapping, Sequence
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


class Webhook(Protocol):
    """One webhook taken apart: the tokens its sender offers, and what of it may be stored."""

    @property
    def tokens(self) -> Sequence[str]:
        """What the sender offers as proof."""
        ...

    @property
    def public(self) -> Mapping[str, Any]:
        """What may be stored: everything but tokens and keys."""
        ...

    def incoming_event(self) -> IncomingEvent:
        """What it says; raises WebhookRejected when it says nothing we can use."""
        ...


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


@dataclass(frozen=True)
class Profile:
    """The user as whom we call a portal."""

    user_id: str
    name: str
    is_admin: bool


@dataclass(frozen=True, kw_only=True)
class Introspection:
    """What a portal can be asked about itself and us: commands, and readers of their answers' values.

    `read_scopes`: the permissions we have, None when it does not tell. `read_time`: its clock, with a zone.
    `method`: whether a method is there; `read_method`: (exists, is open to us).
    """

    profile: Command
    read_profile: Callable[[Any], Profile]
    scopes: Command
    read_scopes: Callable[[Any], Sequence[str] | None]
    time: Command
    read_time: Callable[[Any], datetime | None]
    method: Callable[[str], Command]
    read_method: Callable[[Any], tuple[bool, bool]]


@dataclass(frozen=True, kw_only=True)
class Connector:
    """Our code for one kind of outside system. Its texts are marked for the catalogue, not translated.

    `label`: the system's name; `entities`, `actions`: what its events say → what staff read.
    `client`: makes the calls (None: the system is never called). `webhook`: query string, content type and
    body in, what it says out. `address`: the portal's address as it is stored; ValueError, without the
    secret, when it is none. `introspection`: what a portal that is called can be asked about itself.
    `card_path`: entity and ID → the path of the record's card; `read_card`: a path → the ID in it, or "".
    `only_one`: why there can be no second portal of the kind, naming the first as %(slug)s; `not_a_source`:
    why a flow that does not name the kind cannot begin there ("" = the usual sentence).
    """

    label: str
    entities: Mapping[str, str]
    actions: Mapping[str, str]
    client: Callable[[Access], Client] | None = None
    webhook: Callable[[str, str, bytes], Webhook] | None = None
    address: Callable[[Access], str] | None = None
    introspection: Introspection | None = None
    card_path: Callable[[str, str], str] | None = None
    read_card: Callable[[str], str] | None = None
    only_one: str = ""
    not_a_source: str = ""
