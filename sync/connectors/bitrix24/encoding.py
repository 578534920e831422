"""Parameters on the wire: JSON for one call, PHP-style command strings inside a batch.

A command string can carry text only, so both ways carry the same text: what a portal gets must not
depend on
how many commands happened to share a request. None becomes "" (Bitrix24 clears a field by it), True and False
become "Y" and "N" (what crm.item.* and the old char fields take; filters on user booleans want 1 and 0,
which is for the caller to pass), numbers stay plain.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/batch.html
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from sync.connectors.types import Command


def command_line(command: Command) -> str:
    """`method?a[b][0]=value…`, each key and value percent-encoded once."""
    pairs = "&".join(f"{_quoted_name(key)}={_quoted(value)}" for key, value in flat(command.params))
    return f"{command.method}?{pairs}" if pairs else command.method


def _quoted(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    return quote(text, safe="", errors="replace")  # half a surrogate pair must not fail the other commands


_quoted_name = lru_cache(maxsize=2000)(_quoted)
"""Names of fields come again with every deal."""


def flat(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Nested parameters as PHP names and texts. An empty list or dict becomes "" where it clears a field.

    At the top level an empty one is left out: an empty filter or order is no filter.
    """
    for key, value in params.items():
        if isinstance(value, Mapping | list | tuple) and not value:
            continue
        yield from _flat_under(str(key), value)


def _flat_under(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        children = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        children = [(str(index), item) for index, item in enumerate(value)]
    else:
        yield name, str(as_sent(value))
        return
    if not children:
        yield name, ""
    for key, item in children:
        yield from _flat_under(f"{name}[{key}]", item)


def tree_as_sent(value: Any) -> Any:
    """The same parameters for a JSON body, with the same meaning as in a command string."""
    if isinstance(value, Mapping):
        return {str(key): tree_as_sent(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tree_as_sent(item) for item in value]
    return as_sent(value)


def as_sent(value: Any) -> Any:
    """One plain value as Bitrix24 takes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Y" if value else "N"
    return value
