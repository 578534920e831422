"""Files behind signed links.

The portal's web server hides them from callers that do not look like a browser:
https://apidocs.bitrix24.com/settings/how-to-call-rest-api/general-principles.html
"""

from urllib.parse import quote

from sandbox.emulators.bitrix24.http_types import Reply, Request
from sandbox.emulators.bitrix24.params import as_int, parse_form
from sandbox.emulators.bitrix24.portal import EmulatedPortal

_NEEDED = ("User-Agent", "Accept", "Accept-Language", "Referer")
_MISSING = b"<html><head><title>404 Not Found</title></head><body><center>nginx</center></body></html>"


def serve(portal: EmulatedPortal, request: Request, *, token: str) -> Reply:
    """The bytes of the file that the token names, or the web server's own 404."""
    if not all(request.headers.get(name) for name in _NEEDED):
        return _missing()
    kind, _, rest = token.partition("|")
    query, _, signature = rest.rpartition("|")
    with portal.lock:
        stored = portal.files.get(as_int(parse_form(query).get("fileId")))
        if stored is None or signature != portal.member_id[:12] or stored.is_disk != (kind == "disk"):
            return _missing()
    disposition = f"attachment; filename=\"file\"; filename*=utf-8''{quote(stored.name)}"
    return Reply(200, stored.content, "application/octet-stream", {"Content-Disposition": disposition})


def _missing() -> Reply:
    return Reply(404, _MISSING, "text/html")
