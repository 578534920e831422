"""What travels in a message: the packet of a NestJS microservice, UTF-8 JSON.

An event is `{"pattern": …, "data": …}`; a request that waits for an answer has an `id`, too.
https://docs.nestjs.com/microservices/rabbitmq
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from sync.errors import Malformed

__all__ = ["Malformed", "Packet", "decode", "encode"]

MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 16
"""Objects and lists within each other; a JSON column of MariaDB takes 32, a packet's data lies deep in it."""


@dataclass(frozen=True)
class Packet:
    """One message: `pattern` says what it is, `data` is what it brings (anything JSON can hold)."""

    pattern: str
    data: Any


def encode(pattern: str, data: Any) -> bytes:
    """The body of an event, byte for byte as NestJS writes it."""
    packet = {"pattern": pattern, "data": data}
    return json.dumps(packet, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decode(body: bytes) -> Packet:
    """What a body says; raises Malformed for what is no packet, or could not be stored and sent on."""
    if len(body) > MAX_BODY_BYTES:
        raise Malformed(f"The body is {len(body)} bytes long; {MAX_BODY_BYTES} are allowed.")
    packet = _parsed(body)
    if not isinstance(packet, Mapping):
        raise Malformed(f"The body is {type_of(packet)}, not an object.")
    pattern = packet.get("pattern")
    if not isinstance(pattern, str):
        raise Malformed(f"pattern is {type_of(pattern)}, not a string.")
    _refuse_half_characters(body, packet)
    _refuse_depth(packet)
    return Packet(pattern, packet.get("data"))


def type_of(value: Any) -> str:
    """A JSON value's type in words, for sentences."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "missing"}
    return names.get(type(value), "a number")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8: byte {error.start} ({error.reason}).") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
        raise Malformed(f"The body is not JSON: {error}.") from None


def _no_number(name: str) -> NoReturn:
    raise Malformed(f"The body is not JSON: {name} is no number.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Malformed(f"The body holds a number beyond all bounds: {digits[:40]}.")
    return number


def _refuse_half_characters(body: bytes, packet: Any) -> None:
    r"""JSON can escape half of a UTF-16 pair (`\ud83d`); no database and no UTF-8 can hold it."""
    if b"\\ud" not in body.lower():
        return
    try:
        json.dumps(packet, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Malformed(r"The body holds half a character (a lone \ud800…\udfff).") from None


def _refuse_depth(packet: Any) -> None:
    level = [packet]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise Malformed(f"The body holds objects within each other more than {MAX_DEPTH} deep.")


def _inside(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, Mapping) else value
    return [inner for inner in values if isinstance(inner, Mapping | list)]
