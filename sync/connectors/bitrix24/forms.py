"""The parameters of an HTTP request, whichever way they were sent, as one nested dict.

Bitrix24 and its robots are written in PHP: `data[FIELDS][ID]=5` means nesting, with the brackets
percent-encoded or not. JSON may be nested itself or flat with such names. Every text stays as it was sent,
but for what no database can hold (NUL, halves of surrogate pairs).

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/data-encoding.html
"""

import json
import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from sync.errors import WebhookRejected

MAX_DEPTH = 10
MAX_VALUES = 2000

_NAME = re.compile(r"\A([^\[]+)((?:\[[^\[\]]*\])*)")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Tree = dict[str, Any]


def parse_request(query_string: str, content_type: str, body: bytes) -> Tree:
    """Query and body as one dict; on the top level the body wins, as it does in PHP.

    Raises WebhookRejected: invalid_json for a body that should be JSON and is not, invalid_body for one too
    deep or with too many values.
    """
    query = nested(_form_pairs(query_string, "utf-8"))
    return query | parse_body(content_type, body)


def parse_body(content_type: str, body: bytes) -> Tree:
    """The body by its content type. One that begins with "{" is JSON whatever the sender calls it."""
    header = Message()
    header["Content-Type"] = content_type or "application/x-www-form-urlencoded"
    kind, charset = header.get_content_type(), header.get_content_charset() or "utf-8"
    if not body.strip():
        return {}
    if kind == "multipart/form-data":
        return nested(_multipart_pairs(content_type, body))
    if kind.endswith("json"):
        return _json(body, charset)
    text = _decoded(body, charset)
    if text.lstrip().startswith("{"):
        return _json(body, charset)
    return nested(_form_pairs(text.strip("\r\n"), charset))


def nested(pairs: Iterable[tuple[str, Any]]) -> Tree:
    """PHP names unfolded: `a[b][]=1` → `{"a": {"b": {"0": "1"}}}`; the last of equal names wins."""
    tree: Tree = {}
    for count, (name, value) in enumerate(pairs):
        if count >= MAX_VALUES:
            raise _too_much()
        _put(tree, list(_path(name)), value)
    return tree


def _path(name: str) -> Iterator[str]:
    match = _NAME.match(name)
    if match is None:
        yield name
        return
    yield match[1]
    yield from re.findall(r"\[([^\[\]]*)\]", match[2])


def _put(tree: Tree, path: list[str], value: Any) -> None:
    if len(path) > MAX_DEPTH:
        raise _too_much()
    for key in path[:-1]:
        inner = tree.get(key or str(len(tree)))
        if not isinstance(inner, dict):
            inner = tree[key or str(len(tree))] = {}
        tree = inner
    tree[path[-1] or str(len(tree))] = value


def _form_pairs(text: str, charset: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, encoding=charset, errors="replace", max_num_fields=MAX_VALUES
        )
    except ValueError as fault:
        raise _too_much() from fault
    except LookupError:  # a charset that does not exist
        return _form_pairs(text, "utf-8")
    return [(storable(name), storable(value)) for name, value in pairs]


def _multipart_pairs(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    message = message_from_bytes(
        b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body
    )
    for part in message.get_payload() if message.is_multipart() else []:
        if not isinstance(part, Message) or part.get_filename() is not None:
            continue
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            charset = part.get_content_charset() or "utf-8"
            yield (
                storable(_decoded(name.encode("utf-8", "surrogateescape"), "utf-8")),
                _decoded(content, charset),
            )


def _json(body: bytes, charset: str) -> Tree:
    try:
        parsed = json.loads(_decoded(body, charset), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise WebhookRejected("invalid_json", "The body is not valid JSON.") from fault
    if not isinstance(parsed, dict):
        raise WebhookRejected("invalid_json", "The JSON body must be an object.")
    _check_size(parsed)
    flat: Tree = {}
    for name, value in parsed.items():
        _put(flat, list(_path(storable(name))), _clean(value))
    return flat


def _refuse_constant(word: str) -> Any:
    raise ValueError(word)


def _check_size(tree: Any) -> None:
    level, count = [tree], 0
    for _ in range(MAX_DEPTH + 1):
        level = [child for value in level for child in _children(value)]
        count += len(level)
        if count > MAX_VALUES:
            raise _too_much()
        if not level:
            return
    raise _too_much()


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {storable(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return storable(value) if isinstance(value, str) else value


def storable(text: str) -> str:
    """The text without what PostgreSQL and UTF-8 refuse."""
    return _UNSTORABLE.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text)


def _decoded(raw: bytes, charset: str) -> str:
    try:
        return storable(raw.decode(charset, errors="replace").removeprefix("\ufeff"))
    except LookupError:
        return storable(raw.decode("utf-8", errors="replace"))


def _too_much() -> WebhookRejected:
    return WebhookRejected(
        "invalid_body", f"The request has more than {MAX_VALUES} values or is nested deeper than {MAX_DEPTH}."
    )
