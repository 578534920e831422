"""What a user's request writes into the lead: name, phone and stage, changed by the route's mapping."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from sync.flows.contract import Parcel
from sync.mapping.transform import Rule, Writing, transform
from sync.models import Job

USUAL = (
    Rule("NAME", "param", "full_name"),
    Rule("PHONE", "param", "phone"),
    Rule("STATUS_ID", "param", "stage"),
)
"""What is written without any mapping; a row of the route for the same field takes the place of one."""

REACHED_BY = ("PHONE", "EMAIL", "WEB", "IM")
"""Fields of several rows, each with an ID of its own."""

KIND_OF_ROW = "WORK"

Row = dict[str, str]
"""`{"ID", "VALUE", "VALUE_TYPE"}`; without ID it is a new one."""


def fields_of(parcel: Parcel, job: Job, *, writing: Writing, only: str = "") -> dict[str, Any]:
    """Field → value, or that of one field; phones and the like as plain text.

    Raises NeedsStaff for a value that nobody has mapped.
    """
    own = parcel.settings(job).rules("forward")
    replaced = {rule.to for rule in own}
    rules = [*(rule for rule in USUAL if rule.to not in replaced), *own]
    if only:
        rules = [rule for rule in rules if rule.to == only]
    user = job.params["user"]
    where = _("Route %(route)s, user %(user)s") % {"route": job.route.slug, "user": job.source_id}
    return transform(rules, user, user, writing=writing, where=where)


def as_new(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new lead: phones and the like as rows."""
    return {
        name: rows_to_write(name, value, []) if name in REACHED_BY else value
        for name, value in fields.items()
    }


def as_changes(fields: dict[str, Any], there: dict[str, list[Row]]) -> dict[str, Any]:
    """The fields of an update; of phones and the like only what differs from the rows that are `there`."""
    changes: dict[str, Any] = {}
    for name, value in fields.items():
        written = rows_to_write(name, value, there.get(name, [])) if name in REACHED_BY else value
        if name not in REACHED_BY or written:
            changes[name] = written
    return changes


def rows_to_write(name: str, value: Any, there: list[Row]) -> list[Row]:
    """The row that brings `value` to the lead; none when it is there already, under whichever row.

    A row without an ID would be added beside the old number, so the oldest of its kind is changed.
    https://apidocs.bitrix24.com/api-reference/crm/data-types.html
    """
    text = str(value[0] if isinstance(value, list) else value).strip()
    if any(_comparable(name, row["VALUE"]) == _comparable(name, text) for row in there):
        return []
    new = {"VALUE": text, "VALUE_TYPE": KIND_OF_ROW}
    if not there:
        return [new]
    oldest = min(there, key=lambda row: (row["VALUE_TYPE"] != KIND_OF_ROW, int(row["ID"])))
    return [{**oldest, "VALUE": new["VALUE"]}]


def _comparable(name: str, text: str) -> str:
    """Phones by their digits: a portal or a person may have written it otherwise."""
    digits = re.sub(r"\D", "", text) if name == "PHONE" else ""
    return digits or text.casefold()
