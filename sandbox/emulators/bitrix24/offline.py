"""Collecting offline events.

https://apidocs.bitrix24.com/api-reference/events/offline-events.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import PAGE_SIZE, Page
from sandbox.emulators.bitrix24.bindings import require_application
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.fields import table_of
from sandbox.emulators.bitrix24.filters import compile_filter
from sandbox.emulators.bitrix24.listing import page_of_rows
from sandbox.emulators.bitrix24.params import as_int, is_yes
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import show_moment

_FIELDS = table_of("""
ID integer
TIMESTAMP_X datetime
EVENT_NAME string
MESSAGE_ID string
PROCESS_ID string
ERROR integer
""")


def get(call: Call) -> Any:
    """`event.offline.get`: by default rows are deleted as they are read; `clear=0` reserves them instead."""
    require_application(call)
    process_id = str(call.get("process_id") or "")
    rows = [row for row in _channel(call) if row["PROCESS_ID"] == process_id]
    has_failed = 1 if is_yes(call.get("error")) else 0
    rows = [row for row in rows if row["ERROR"] == has_failed and _wanted(call, row)]
    rows = rows[: as_int(call.get("limit"), PAGE_SIZE)]
    shown = [_show(call, row) for row in rows]
    queue = call.portal.events.offline
    if process_id or not rows:
        return {"process_id": process_id or None, "events": shown}
    if as_int(call.get("clear"), 1):
        queue.remove(rows)
        return {"process_id": None, "events": shown}
    return {"process_id": queue.reserve(rows), "events": shown}


def listing(call: Call) -> Page:
    """`event.offline.list`: a look that reserves nothing."""
    require_application(call)
    rows = [row for row in _channel(call) if _wanted(call, row)]

    def show(row: Row) -> Row:
        return _show(call, row) | {"PROCESS_ID": row["PROCESS_ID"], "ERROR": str(row["ERROR"])}

    return page_of_rows(rows, start=call.start, show=show)


def clear(call: Call) -> bool:
    """`event.offline.clear`: true; the whole package unless some of its rows are named."""
    require_application(call)
    call.portal.events.offline.remove(_package(call))
    return True


def fail(call: Call) -> bool:
    """`event.offline.error`: true; the rows come back only to those who ask for failures."""
    require_application(call)
    for row in _package(call):
        row["ERROR"] = 1
    return True


def _channel(call: Call) -> list[Row]:
    return call.portal.events.offline.rows(call.actor.client_id, call.actor.connector)


def _package(call: Call) -> list[Row]:
    process_id = str(call.get("process_id") or "")
    rows = [row for row in _channel(call) if process_id and row["PROCESS_ID"] == process_id]
    ids = {str(one) for one in call.listed("id")}
    messages = {str(one) for one in call.listed("message_id")}
    if ids:
        return [row for row in rows if str(row["ID"]) in ids]
    return [row for row in rows if row["MESSAGE_ID"] in messages] if messages else rows


def _wanted(call: Call, row: Row) -> bool:
    zone = call.portal.settings.utc_offset
    return compile_filter(_FIELDS, call.get("filter"), zone=zone, strict=False).matches(row)


def _show(call: Call, row: Row) -> Row:
    return {
        "ID": str(row["ID"]),
        "TIMESTAMP_X": show_moment(row["TIMESTAMP_X"], call.portal.settings.utc_offset),
        "EVENT_NAME": row["EVENT_NAME"],
        "EVENT_DATA": row["EVENT_DATA"],
        "EVENT_ADDITIONAL": row["EVENT_ADDITIONAL"],
        "MESSAGE_ID": row["MESSAGE_ID"],
    }


METHODS: dict[str, Callable[[Call], Any]] = {
    "event.offline.get": get,
    "event.offline.list": listing,
    "event.offline.clear": clear,
    "event.offline.error": fail,
}
