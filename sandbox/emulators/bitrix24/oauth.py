"""The authorisation server: an application changes its refresh token for new tokens.

https://apidocs.bitrix24.com/settings/oauth/auto-renewal.html
"""

from sandbox.emulators.bitrix24.answers import ApiError, encode, error_envelope
from sandbox.emulators.bitrix24.events import SERVER_ENDPOINT
from sandbox.emulators.bitrix24.http_types import Reply, Request
from sandbox.emulators.bitrix24.params import parse_body, parse_form
from sandbox.emulators.bitrix24.portal import EmulatedPortal


def serve(portal: EmulatedPortal, request: Request) -> Reply:
    """Answer `/oauth/token/` by GET or form."""
    params = parse_form(request.query)
    if request.body:
        params |= parse_body(request.headers.get("Content-Type") or "", request.body)
    given = {key: str(value) for key, value in params.items()}
    try:
        if given.get("grant_type") != "refresh_token" or not given.get("refresh_token"):
            raise ApiError("invalid_request", 'No "refresh_token" parameter found')
        with portal.lock:
            issued = portal.applications.refresh(
                given.get("client_id", ""),
                given.get("client_secret", ""),
                refresh_token=given["refresh_token"],
            )
    except ApiError as error:
        return Reply(error.status, encode(error_envelope(error)))
    issued |= {
        "client_endpoint": f"{portal.base}/rest/",
        "server_endpoint": SERVER_ENDPOINT,
        "domain": "oauth.bitrix24.tech",
        "member_id": portal.member_id,
    }
    return Reply(200, encode(issued))
