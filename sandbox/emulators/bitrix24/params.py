"""Request parameters the way PHP reads them.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/data-encoding.html
"""

import json
from collections.abc import Iterable
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import unquote_plus

Params = dict[str, Any]


def parse_form(text: str) -> Params:
    """Decode `a[b][]=1&c=2` into nested lists and maps: the last value wins, `[]` appends."""
    pairs = (part.partition("=") for part in text.split("&") if part)
    return nest((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)


def nest(pairs: Iterable[tuple[str, Any]]) -> Params:
    """Build the nested parameters out of flat names with brackets."""
    tree: dict[Any, Any] = {}
    for name, value in pairs:
        path = _path(name)
        if path:
            _put(tree, path, value=value)
    return {str(key): _settle(value) for key, value in tree.items()}


def parse_body(content_type: str, body: bytes) -> Params:
    """Decode a request body by its content type; broken JSON counts as no parameters at all."""
    if content_type.startswith("multipart/form-data"):
        return _parse_multipart(content_type, body)
    text = body.decode("utf-8", "replace")
    if "json" in content_type or text[:1] in {"{", "["}:
        return _parse_json(text)
    return parse_form(text)


def as_list(value: Any) -> list[Any]:
    """A PHP array as a list; a scalar is a list of one, nothing is an empty list."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    return [] if value is None or value == "" else [value]


def as_map(value: Any) -> dict[str, Any]:
    """A PHP array as a map; a list is keyed by position, a scalar is an empty map."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return {}


def as_int(value: Any, default: int = 0) -> int:
    """A whole number out of a vendor-style value, or the default."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


def is_yes(value: Any) -> bool:
    """Whether a flag in any accepted spelling is on."""
    return value is True or str(value).upper() in {"Y", "1", "TRUE"}


def _path(name: str) -> list[str]:
    base, bracket, rest = name.partition("[")
    base = base.lstrip().replace(".", "_").replace(" ", "_")
    if not base:
        return []
    if not bracket or "]" not in rest:
        return [base if not bracket else f"{base}_{rest}"]
    path = [base]
    while bracket:
        segment, closed, tail = rest.partition("]")
        if not closed:
            break
        path.append(segment)
        bracket, rest = tail[:1], tail[1:]
        if bracket != "[":
            break
    return path


def _put(tree: dict[Any, Any], path: list[str], *, value: Any) -> None:
    node = tree
    for segment in path[:-1]:
        key = _key(node, segment)
        if not isinstance(node.get(key), dict):
            node[key] = {}
        node = node[key]
    node[_key(node, path[-1])] = value


def _key(node: dict[Any, Any], segment: str) -> Any:
    if segment == "":
        return max((key for key in node if isinstance(key, int)), default=-1) + 1
    return (
        int(segment) if segment.isascii() and segment.isdigit() and str(int(segment)) == segment else segment
    )


def _settle(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    settled = {key: _settle(item) for key, item in value.items()}
    if list(settled) == list(range(len(settled))):
        return list(settled.values())
    return {str(key): item for key, item in settled.items()}


def _parse_json(text: str) -> Params:
    try:
        decoded = json.loads(text)
    except ValueError:
        return {}
    return as_map(decoded)


def _parse_multipart(content_type: str, body: bytes) -> Params:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    pairs = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            pairs.append((name, payload.decode("utf-8", "replace")))
    return nest(pairs)
