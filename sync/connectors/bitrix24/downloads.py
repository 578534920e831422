"""Files by link: which links we follow, and the file in the answer.

The portal sends a page instead of the file when the headers of a browser are missing, even with a good token.
https://apidocs.bitrix24.com/settings/how-to-call-rest-api/general-principles.html
"""

import re
from collections.abc import Mapping
from email.message import Message
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sync.connectors.bitrix24.errors import VendorError, error_of
from sync.connectors.bitrix24.responses import error_in, retry_after
from sync.connectors.bitrix24.transport import RawResponse, as_json
from sync.connectors.types import File
from sync.errors import Refused, SyncError
from sync.i18n import gettext as _

DOWNLOAD = "#download"
"""Not a method of the vendor: a GET of a file link, `{"path": relative to the REST base, "max_bytes": n}`."""

DEFAULT_MAX_BYTES = 50 * 1024 * 1024


def headers_for(base: str) -> dict[str, str]:
    """The headers without which the portal's front may answer 404 to a good link."""
    parts = urlsplit(base)
    return {
        "Accept": "*/*",
        "Accept-Language": "ru,en;q=0.8",
        "Referer": f"{parts.scheme}://{parts.netloc}/",
    }


def checked_path(path: Any, *, portal: str) -> str:
    """The path when it stays under the portal's REST base; Refused otherwise."""
    text = str(path)
    decoded = unquote(unquote(text.partition("?")[0]))
    is_inside = bool(text) and not re.match(r"[a-z][a-z0-9+.-]*:", decoded, re.IGNORECASE)
    if not is_inside or decoded.startswith("/") or "\\" in decoded or ".." in decoded.split("/"):
        raise Refused(
            _("%(portal)s: the file's link does not lead into the portal's REST API.") % {"portal": portal},
            code="BAD_LINK",
        )
    if re.search(r"[\x00-\x20\x7f#]", text):
        return quote(text, safe="/?&=%|:,;~+!*'()[]@$-._")
    return text


def read_file(response: RawResponse, *, portal: str) -> File | SyncError:
    """The file in an answer, or the error the portal gave instead."""
    disposition = response.headers.get("Content-Disposition", "")
    if response.status == 200 and disposition:
        return File(file_name(disposition), response.body)
    message = _error_told(response)
    if message is not None:
        error = error_in(message, response, portal=portal, method=DOWNLOAD, usage={})
        if error is not None:
            return error
    if response.status == 200 and "html" not in response.headers.get("Content-Type", "").lower():
        return File("file", response.body)
    # this says nothing about the portal: the link may be old, or the file deleted
    return error_of(
        VendorError(
            portal,
            DOWNLOAD,
            response.status,
            code="NOT_FOUND" if response.status in (404, 410) else "",
            description=_("a page came instead of the file"),
            after=retry_after(response),
            is_json=response.status < 500,
        )
    )


def _error_told(response: RawResponse) -> Mapping[str, Any] | None:
    if "json" not in response.headers.get("Content-Type", "").lower():
        return None
    try:
        message = as_json(response.body)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, Mapping) and "error" in message else None


def file_name(disposition: str) -> str:
    """The name in a Content-Disposition header (RFC 6266, with the RFC 5987 form), without any folder.

    Portals also send raw UTF-8 bytes there, which HTTP hands over as Latin-1, and names that are
    percent-encoded.
    """
    message = Message()
    message["Content-Disposition"] = disposition.encode("latin-1", "replace").decode("latin-1")
    extended = re.search(r"filename\*\s*=\s*([\w-]*)'[^']*'([^;\s]+)", disposition, re.IGNORECASE)
    if extended:
        name = unquote(extended[2], encoding=extended[1] or "utf-8", errors="replace")
    else:
        plain = re.search(r'filename\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;]+))', disposition, re.IGNORECASE)
        raw = (plain[1] if plain[1] is not None else plain[2]) if plain else ""
        name = _as_utf8(unquote(re.sub(r"\\(.)", r"\1", raw)))
    name = PurePosixPath(name.replace("\\", "/")).name
    return re.sub(r"[\x00-\x1f\x7f]", "", name).strip()[:255] or "file"


def _as_utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
