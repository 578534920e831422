"""Who makes a call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an incoming webhook has no `client_id`; `secret` is its code or the access token."""

    user_id: int = 1
    client_id: str = ""
    secret: str = ""
    connector: str = ""
