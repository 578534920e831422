"""One HTTP exchange as plain values, so that routing knows nothing about sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in; `headers` look names up whatever their case."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    source: str


@dataclass(slots=True)
class Reply:
    """What goes out, and how the connection misbehaves: `fault` is reset, drop, middle or empty."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    slow_seconds: float = 0.0
