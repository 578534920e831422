"""Installed applications and their tokens.

https://apidocs.bitrix24.com/settings/oauth/index.html
"""

import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.settings import Settings

ACCESS_SECONDS = 3600


@dataclass(slots=True)
class Application:
    """One local application."""

    client_id: str
    client_secret: str
    application_token: str


@dataclass(slots=True)
class _Access:
    client_id: str
    user_id: int
    expires: float


class Applications:
    """Applications by client ID, access tokens, and refresh tokens that are good once."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is installed."""
        self._settings = settings
        self._installed: dict[str, Application] = {}
        self._access: dict[str, _Access] = {}
        self._refresh: dict[str, tuple[str, int]] = {}

    def install(self, client_id: str, client_secret: str, *, user_id: int = 1) -> dict[str, Any]:
        """Install a local application and give its first tokens and its application token."""
        application = Application(client_id, client_secret, secrets.token_hex(16))
        self._installed[client_id] = application
        return self.issue(client_id, user_id) | {"application_token": application.application_token}

    def issue(self, client_id: str, user_id: int) -> dict[str, Any]:
        """A fresh pair of tokens."""
        access, refresh = secrets.token_hex(35), secrets.token_hex(35)
        expires = self._settings.clock() + ACCESS_SECONDS
        self._access[access] = _Access(client_id, user_id, expires)
        self._refresh[refresh] = (client_id, user_id)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": ACCESS_SECONDS,
            "expires": int(expires),
            "user_id": user_id,
            "scope": ",".join(self._settings.scopes),
            "status": "L",
        }

    def refresh(self, client_id: str, client_secret: str, *, refresh_token: str) -> dict[str, Any]:
        """Exchange a refresh token for new tokens; the old one is dead afterwards."""
        application = self._installed.get(client_id)
        if application is None:
            # The one error that the authorisation server gives with HTTP 200.
            raise ApiError("wrong_client", "Wrong client", status=200)
        if application.client_secret != client_secret:
            raise ApiError("invalid_client", "Invalid client credentials")
        owner = self._refresh.pop(refresh_token, None)
        if owner is None or owner[0] != client_id:
            raise ApiError("invalid_grant", "Invalid refresh token")
        return self.issue(*owner)

    def actor(self, access_token: str) -> Actor:
        """Who an access token speaks for, or the vendor's 401."""
        access = self._access.get(access_token)
        if access is None:
            raise ApiError("NO_AUTH_FOUND", "Wrong authorization data", status=401)
        if access.expires <= self._settings.clock():
            raise ApiError("expired_token", "The access token provided has expired.", status=401)
        return Actor(access.user_id, access.client_id, access_token)

    def expire_all(self) -> None:
        """End the hour of every access token now."""
        for access in self._access.values():
            access.expires = 0.0

    def application_token(self, client_id: str) -> str:
        """What the application compares in events; empty when it is not installed."""
        application = self._installed.get(client_id)
        return application.application_token if application else ""

    def event_auth(self, client_id: str, user_id: int, *, with_refresh: bool = False) -> dict[str, Any]:
        """The token part of an event: for an application only, and without the refresh token as a rule."""
        if client_id not in self._installed:
            return {}
        names = ["access_token", "expires_in", "scope", "status"] + (
            ["refresh_token"] if with_refresh else []
        )
        issued = self.issue(client_id, user_id)
        if not with_refresh:
            self._refresh.pop(issued["refresh_token"])
        return {name: issued[name] for name in names}
