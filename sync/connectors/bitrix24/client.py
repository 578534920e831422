"""Bitrix24 over HTTP: commands in, answers out, one request at a time.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/index.html
"""

import logging
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from sync.connectors.bitrix24.address import checked_base, moved_base
from sync.connectors.bitrix24.downloads import (
    DEFAULT_MAX_BYTES,
    DOWNLOAD,
    checked_path,
    headers_for,
    read_file,
)
from sync.connectors.bitrix24.encoding import command_line, tree_as_sent
from sync.connectors.bitrix24.responses import read_batch, read_one
from sync.connectors.bitrix24.transport import MAX_ANSWER_BYTES, RawResponse, open_session, send
from sync.connectors.types import Access, Answer, Command, File, Reply, Usage
from sync.errors import NeedsStaff, Refused, SyncError
from sync.i18n import gettext as _

MAX_COMMANDS = 50
REDIRECTS = (301, 302, 303, 307, 308)
log = logging.getLogger(__name__)


class Bitrix24Client:
    """Makes the calls to one portal; keeps its connection alive between them."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._base = ""
        self._session = open_session(access)

    def execute(self, commands: Mapping[str, Command]) -> Reply:
        """Send 1 to 50 commands in one HTTP request: a direct call for one, `batch` for more.

        Raises TryLater, NeedsStaff or Refused for the request as a whole; ValueError for more than 50
        commands, none, or a download among others.
        """
        if not 1 <= len(commands) <= MAX_COMMANDS:
            raise ValueError(f"one request holds 1 to {MAX_COMMANDS} commands, not {len(commands)}")
        self._base = self._base or checked_base(self._access)
        first, *others = commands.items()
        if any(command.method == DOWNLOAD for command in commands.values()):
            if others:
                raise ValueError("a download goes alone")
            return self._download(*first)
        return self._batch(commands) if others else self._call(*first)

    def _call(self, key: str, command: Command) -> Reply:
        response = self._post(f"{command.method}.json", tree_as_sent(command.params))
        answer, usage = read_one(response, portal=self._access.portal, command=command)
        return self._reply({key: answer}, usage)

    def _batch(self, commands: Mapping[str, Command]) -> Reply:
        # The portal replaces "$result[key]" inside values by another command's result. Keys that nobody can
        # guess keep such a text in somebody's comment what it is: a text.
        nonce = "k" + secrets.token_hex(6)
        wire_keys = {key: f"{nonce}n{index}" for index, key in enumerate(commands)}
        lines = {wire_keys[key]: command_line(command) for key, command in commands.items()}
        response = self._post("batch.json", {"halt": 0, "cmd": lines})
        answers, usage = read_batch(
            response, portal=self._access.portal, commands=commands, wire_keys=wire_keys
        )
        return self._reply(answers, usage)

    def _download(self, key: str, command: Command) -> Reply:
        path = checked_path(command.params.get("path", ""), portal=self._access.portal)
        if self._access.token:
            path += ("&" if "?" in path else "?") + "auth=" + quote(self._access.token, safe="")
        max_bytes = int(command.params.get("max_bytes") or DEFAULT_MAX_BYTES)
        try:
            found: File | SyncError = read_file(
                self._exchange("GET", path, max_bytes=max_bytes), portal=self._access.portal
            )
        except Refused as too_large:
            found = too_large
        if isinstance(found, File):
            return self._reply({key: Answer(found)}, {})
        if found.is_portal_wide:
            raise found
        return self._reply({key: Answer(error=found)}, {})

    def _post(self, path: str, body: dict[str, Any]) -> RawResponse:
        if self._access.token:
            body = {**body, "auth": self._access.token}
        return self._exchange("POST", path, body=body)

    def _exchange(
        self, verb: str, path: str, *, body: dict[str, Any] | None = None, max_bytes: int = MAX_ANSWER_BYTES
    ) -> RawResponse:
        """One request; a second one only when the portal says it has moved (then the first did not run)."""
        response = self._send(verb, path, body=body, max_bytes=max_bytes)
        if response.status not in REDIRECTS:
            return response
        location = response.headers.get("Location", "")
        self._base = moved_base(self._base, requested=response.url, location=location, access=self._access)
        log.warning("%s has moved to %s", self._access.portal, urlsplit(self._base).hostname)
        response = self._send(verb, path, body=body, max_bytes=max_bytes)
        if response.status in REDIRECTS:
            self._base = ""
            raise NeedsStaff(
                _("%(portal)s: the portal's redirects lead in a circle; check the webhook address.")
                % {"portal": self._access.portal},
                code="REDIRECT",
                status=response.status,
            )
        return response

    def _send(self, verb: str, path: str, *, body: dict[str, Any] | None, max_bytes: int) -> RawResponse:
        headers = headers_for(self._base) if verb == "GET" else {"Accept": "application/json"}
        request = requests.Request(verb, self._base + path, json=body, headers=headers)
        return send(self._session, request, access=self._access, max_bytes=max_bytes)

    def _reply(self, answers: Mapping[str, Answer], usage: Mapping[str, Usage]) -> Reply:
        # in every reply until the caller comes with the new address
        moved = urlsplit(self._base).netloc.lower() != urlsplit(self._access.url).netloc.lower()
        return Reply(answers=answers, usage=usage, new_url=self._base if moved else "")
