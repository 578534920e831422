"""Hide secrets and personal data in anything a person may read: logs, stored history, error texts.

Secrets are the codes in webhook addresses (`/rest/1/CODE/`), tokens in our own inbound paths, values
under secret names (token, auth, client_secret, Authorization, …) in URLs, forms, JSON and reprs, and
passwords in URLs.
"""

import logging
import re
from typing import Any, Final

HIDDEN: Final = "***"

SECRET_WORDS: Final = (
    "access_token", "refresh_token", "application_token", "event_token", "inbound_token", "auth_token",
    "token", "auth", "client_secret", "secret_key", "secret", "password", "passwd", "api_key", "apikey",
    "x-api-key", "authorization", "proxy-authorization", "cookie", "set-cookie", "app_sid", "auth_id",
    "refresh_id",
)  # fmt: skip

_SLASH = r"(?:\\?/|%2F|%252F)"
_QUOTE = r"(?:\\*[\"'])"
_KEY = "|".join(re.escape(word).replace("_", "[_-]").replace(r"\-", "[_-]") for word in SECRET_WORDS)
_KEY_START = r"(?:(?<![A-Za-z])|(?<=%[0-9A-F]{2})|(?<=%25[0-9A-F]{2}))"  # after %5B the B is no letter
_KEY_END = r"(?:\]|%5D|%255D)*"
_TEXT_IN = (
    r"(?:\\.|(?!(?P=quote))[^\\])*"  # up to the same quote, escapes skipped, or to the end of a cut text
)

_PATHS = re.compile(
    rf"(?P<keep>{_SLASH}rest{_SLASH}(?:api{_SLASH})?\d+{_SLASH}|"
    rf"{_SLASH}webhooks{_SLASH}[\w-]+{_SLASH}[\w-]+{_SLASH}|{_SLASH}inbound{_SLASH}from-[\w-]+{_SLASH})"
    r"[^/\s\"'?&#\\%<>]+",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(?P<keep>\b[a-z][\w+.-]{0,20}://[^\s/:@\"']*:)[^\s/@\"']+(?=@)", re.IGNORECASE)
_HEADER = re.compile(
    r"(?P<keep>\b(?:Authorization|Proxy-Authorization|Cookie|Set-Cookie|X-Api-Key)\s*:\s*)[^\r\n\"'\\]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<keep>\b(?:Bearer|Basic)\s+)[^\s\"',;\\]{6,}", re.IGNORECASE)
_QUOTED = re.compile(
    rf"(?P<keep>{_KEY_START}(?:{_KEY}){_KEY_END}{_QUOTE}?\s*(?:[:=,]|=>)\s*[bu]?(?P<quote>\\*[\"']))"
    rf"{_TEXT_IN}",
    re.IGNORECASE | re.DOTALL,
)
_BARE = re.compile(
    rf"(?P<keep>{_KEY_START}(?:{_KEY}){_KEY_END}{_QUOTE}?\s*(?:=>|=|%3D|%253D|:)\s*)"
    r"(?![\s\"'\\{\[]|%7B)[^\s&\"'<>,;)}\]\\]+",
    re.IGNORECASE,
)
# bounded, or a long text without an @ would be read anew from each of its letters
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_PHONE = re.compile(
    # first what a phone number may be taken for: an IP address, with its port and the process that listens
    rf"(?P<address>(?<![\w.])(?:{_OCTET}(?:\.{_OCTET}){{3}}|localhost|\[[\da-f:]*\])"
    r"(?::\d{1,5}(?: \(\d{1,7}\))?)?(?!\w|[.\s-]\d))|"
    r"(?<![\w/])(?!\d{4}-\d\d-\d\d)(?!1\d{9}(?!\d))"  # neither a date nor a Unix time
    r"\+?\d(?:[\s().\u00a0-]{0,3}\d){9,14}(?!\w)"
)


def mask(text: str) -> str:
    """The text with every secret replaced by `***`; harmless text comes back as it was."""
    for pattern in (_PATHS, _URL_PASSWORD, _HEADER, _BEARER, _QUOTED, _BARE):
        text = pattern.sub(rf"\g<keep>{HIDDEN}", text)
    return text


def mask_personal(text: str) -> str:
    """The text with phone numbers and e-mail addresses replaced by `[phone]` and `[email]`."""
    return _PHONE.sub(lambda found: found["address"] or "[phone]", _EMAIL.sub("[email]", text))


def is_secret_key(key: object) -> bool:
    """Whether a value under this key is a secret, whatever it looks like: `token`,
    `auth[application_token]`.
    """
    last = re.split(r"[\[\].]+", str(key).strip().rstrip("]"))[-1].lower()
    return last.replace("-", "_") in _SECRET_KEYS


_SECRET_KEYS: Final = frozenset(word.replace("-", "_") for word in SECRET_WORDS)


def mask_tree(value: Any) -> Any:
    """A copy of nested dicts and lists with secrets masked, by key and inside every string.

    Under `auth` a dict keeps its harmless keys (domain, member_id); anything else there is hidden whole.
    """
    if isinstance(value, dict):
        return {_mask_key(key): _mask_under(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_tree(item) for item in value]
    return mask(value) if isinstance(value, str) else value


def _mask_key(key: Any) -> Any:
    return mask(key) if isinstance(key, str) else key


def _mask_under(key: Any, item: Any) -> Any:
    if not is_secret_key(key):
        return mask_tree(item)
    if isinstance(item, dict) and str(key).lower() == "auth":
        return mask_tree(item)
    return HIDDEN if item not in ("", None) else item


class MaskingFilter(logging.Filter):
    """Masks a log record's message, arguments, extra fields, exception and stack texts before it is
    written.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place; it always passes."""
        record.msg, record.args = _on_one_line(_safe(_message_of(record))), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        # formatters prefer exc_info to the text we have masked, so it must go
        record.exc_info = None
        record.exc_text = _safe(record.exc_text) if record.exc_text else None
        record.stack_info = _safe(record.stack_info) if record.stack_info else None
        for name in record.__dict__.keys() - _STANDARD_ATTRIBUTES:
            record.__dict__[name] = _mask_under(name, record.__dict__[name])
        return True


_STANDARD_ATTRIBUTES: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def _safe(text: str) -> str:
    return mask_personal(mask(text))


def _on_one_line(text: str) -> str:
    """Line breaks shown as such: an address or a vendor's text must not write log lines of its own."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a call with wrong arguments must still be logged
        return f"{record.msg} {record.args!r}"
