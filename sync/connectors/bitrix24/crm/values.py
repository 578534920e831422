"""Values of fields: as the portal sends them, as a Record keeps them, as the portal wants them back.

A Record holds texts: IDs and numbers too, so that a value mapping or a comparison never stumbles over 5, 5.0
and "5", which the vendor mixes. Empty is "" (the vendor has null, "", and 0 in references). Lists stay.
https://apidocs.bitrix24.com/api-reference/data-types.html
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from sync.connectors.types import File

_REST_BASE = re.compile(r"^.*?/rest/(?:\d+/[^/]+/)?")


def as_kept(value: Any) -> Any:
    """One value of a fetched record in our form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, int | float):
        return plain_number(value)
    if isinstance(value, list):
        return [as_kept(item) for item in value]
    if isinstance(value, Mapping):
        return (
            file_link(value) if is_file(value) else {str(key): as_kept(item) for key, item in value.items()}
        )
    return value


def plain_number(value: float) -> str:
    """5.0 → "5", 999.90 → "999.9", 1e16 → "10000000000000000"."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_date(value: str) -> str:
    """The calendar day of a date field, "YYYY-MM-DD".

    The portal sends midnight in UTC with its own offset added, so the day is read in UTC: the first ten
    characters would be the day before on portals west of Greenwich. What is no ISO moment comes back as it
    was.
    """
    if len(value) <= len("YYYY-MM-DD"):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat()


def is_file(value: Mapping[str, Any]) -> bool:
    """Whether a value of a fetched record is a file."""
    return "id" in value and ("urlMachine" in value or "downloadUrl" in value)


def file_link(value: Mapping[str, Any]) -> dict[str, str]:
    """`{"file_id", "path"}` of a file value; the path has neither host nor secret, so it can be stored.

    The path is "" when the portal gave no link that a program may follow.
    """
    return {"file_id": as_kept(value["id"]), "path": relative_path(str(value.get("urlMachine") or ""))}


def relative_path(url: str) -> str:
    """A REST link relative to the portal's REST base: `/rest/1/CODE/method/?token=t` → `method/?token=t`.

    The webhook's code stands in the path of such links and an OAuth token in their query: both go.
    """
    parts = urlsplit(url)
    if not _REST_BASE.match(parts.path):
        return ""
    query = [
        (key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key.lower() != "auth"
    ]
    path = quote(_REST_BASE.sub("", parts.path), safe="/%.-_~")
    return f"{path}?{urlencode(query)}" if query else path


def as_written(value: Any) -> Any:
    """One value as `crm.item.add` and `update` take it: a File as [name, base64], None as "".

    ValueError for a fetched file link: writing it as it is would wipe the field; download it first.
    """
    if isinstance(value, File):
        return [value.name, base64.b64encode(value.content).decode("ascii")]
    if isinstance(value, list | tuple):
        return [as_written(item) for item in value]
    if isinstance(value, Mapping) and "file_id" in value:
        raise ValueError("a file link cannot be written; download the file first")
    return "" if value is None else value
