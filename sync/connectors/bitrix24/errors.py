"""The one place where Bitrix24's answers become our errors.

`error_of` takes what a portal said about a request or about one command of a batch. The kinds by code
stand in `codes.py`; here is what codes alone do not tell: legacy methods answer HTTP 400 with an empty
code and a sentence, unknown codes go by the HTTP status, and answers without any JSON by the
status as well.

https://apidocs.bitrix24.com/error-codes.html
"""

import re
from dataclasses import dataclass
from html import unescape

from sync.connectors.bitrix24.error_codes import ERROR_KINDS
from sync.connectors.bitrix24.error_kinds import (
    CHECK_THE_ADDRESS,
    CHECK_THE_KEY,
    DID_NOT_RUN,
    GIVE_THE_RIGHT,
    MAY_HAVE_RUN,
    REFUSED_BY_PORTAL,
    RENEW_THE_PLAN,
    TOO_FAST,
    VendorErrorKind,
)
from sync.errors import OutcomeUnknown, PortalAway, SyncError, Throttled, TryLater
from sync.i18n import gettext
from sync.redaction.masking import mask


@dataclass(frozen=True)
class VendorError:
    """What a portal answered. `status` is None for one command of a batch: those have no status of their own.

    `after`: seconds to wait, when the portal said so (Retry-After, or operating_reset_at less now).
    """

    portal: str
    method: str
    status: int | None = None
    code: str = ""
    description: str = ""
    after: float | None = None
    is_json: bool = True


BEHIND_ACCESS_DENIED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"commercial plan|extended plan|тариф|подписк|licen[sc]e|лицензи", re.I), "PAYMENT_REQUIRED"),
    (re.compile(r"application context|контекст\w* приложени", re.I), "WRONG_AUTH_TYPE"),
)
BEHIND_NO_CODE: tuple[tuple[re.Pattern[str], str], ...] = (
    *BEHIND_ACCESS_DENIED,
    (
        re.compile(r"access denied|доступ запрещ|нет доступа|нет прав|недостаточно прав", re.I),
        "ACCESS_DENIED",
    ),
    (re.compile(r"not found|не найден|не существует|does not exist", re.I), "NOT_FOUND"),
)
"""Legacy methods give no code, only a sentence in the portal's language; the first that fits names the
code.
"""

WORDLESS = frozenset({"", "0", "-"})
"""Codes that say nothing: the sentence decides."""


def error_of(said: VendorError) -> SyncError:
    """The error a portal's answer means, naming the portal, the method, its own words and what to do."""
    code = code_of(said)
    kind = ERROR_KINDS.get(code.lower()) or by_status(said)
    words = f"{said.portal}: {said.method}: {own_words(said)}"
    return raised_as(kind, f"{words} {gettext(kind.advice)}".strip(), said=said, code=code)


def code_of(said: VendorError) -> str:
    """The vendor's code, or the one its sentence stands for when the code says nothing."""
    code = said.code.strip()
    behind = BEHIND_NO_CODE if code in WORDLESS else BEHIND_ACCESS_DENIED
    if code not in WORDLESS and code.lower() != "access_denied":
        return code
    text = plain(said.description)
    return next((meant for pattern, meant in behind if pattern.search(text)), code)


def own_words(said: VendorError) -> str:
    """The vendor's sentence with its code, as staff should read it: no HTML, no secrets, not endless."""
    text = mask(plain(said.description))[:500]
    code = "" if said.code.strip() in WORDLESS else mask(said.code.strip())[:100]
    status = f"HTTP {said.status}" if said.status is not None and not (text or code) else ""
    return " ".join(filter(None, [text, f"({code})" if code and text else code, status])).rstrip(".") + "."


def plain(text: str) -> str:
    """The text without HTML tags and entities, white space squeezed."""
    return " ".join(unescape(re.sub(r"<[^<>]*>", " ", text)).split())


def by_status(said: VendorError) -> VendorErrorKind:
    """What an unknown code means, by the HTTP status; without one (in a batch) it is a refusal."""
    status = said.status or 400
    if not said.is_json and status in BY_STATUS_WITHOUT_JSON:
        return BY_STATUS_WITHOUT_JSON[status]
    if status in BY_STATUS:
        return BY_STATUS[status]
    return REFUSED_BY_PORTAL if 400 <= status < 500 else MAY_HAVE_RUN


BY_STATUS: dict[int, VendorErrorKind] = {
    401: CHECK_THE_KEY,
    402: RENEW_THE_PLAN,
    403: GIVE_THE_RIGHT,
    408: MAY_HAVE_RUN,
    429: TOO_FAST,
}
BY_STATUS_WITHOUT_JSON: dict[int, VendorErrorKind] = {
    # a page instead of JSON comes from what stands before the portal (nginx, its shield), not from REST
    403: DID_NOT_RUN,
    404: CHECK_THE_ADDRESS,
    410: CHECK_THE_ADDRESS,
}


def raised_as(kind: VendorErrorKind, message: str, *, said: VendorError, code: str) -> SyncError:
    """Build the kind's error. Nothing a single batch command says is taken for the whole portal."""
    after = said.after if said.after is not None else kind.after
    error: SyncError
    if kind.error is Throttled:
        method = said.method if kind.is_about_method else ""
        error = Throttled(message, after=after, method=method, code=code, status=said.status)
    elif kind.error is OutcomeUnknown:
        error = OutcomeUnknown(message, after=after, code=code, status=said.status)
    elif kind.error is PortalAway:
        error = PortalAway(message, after=after, code=code, status=said.status)
    elif kind.error is TryLater:
        error = TryLater(message, after=after, code=code, status=said.status)
    else:
        error = kind.error(message, code=code, status=said.status)
    error.is_portal_wide = is_portal_wide(kind, said)
    return error


def is_portal_wide(kind: VendorErrorKind, said: VendorError) -> bool:
    """Whether every other call to this portal would fare the same now.

    An internal error in proper JSON is not: the portal is alive and one record may be what breaks it.
    """
    if said.status is None:
        return False
    return kind.is_portal_wide or (kind.error is OutcomeUnknown and not said.is_json)
