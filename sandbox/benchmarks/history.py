"""A history of a million deals: ended jobs with their events, links and attempts, written by the database."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Model
from django.utils import timezone

from sync.models import Attempt, Event, Job, Link, Route

FIRST_ID = 1_000_000_000
"""IDs of the history's deals begin here, so that no deal of a run is taken for one of them."""

MAX_ROWS = 1_000_000
DAYS = 80
"""The history is spread over so many days; shorter than what `prune` keeps."""

FAILED_EVERY = 100
"""One of so many jobs has failed: staff look for these."""

WRONG_SETTING_EVERY = 10_000
"""One of so many jobs has failed for a reason that is rare among the failed ones."""

IGNORED_EVERY = 50
"""One of so many events was ignored."""

MOMENTS = (
    "received_at", "created_at", "finished_at", "started_at", "ended_at", "reported_at", "updated_at",
)  # fmt: skip

DECIMAL_PLACES = 5
ROWS_AT_ONCE = 10**DECIMAL_PLACES
"""Rows of one transaction: more would only fill the database's journal."""

DIGITS = "(" + " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10)) + ")"
NUMBERS = (
    f"(SELECT {' + '.join(f'd{place}.d * {10**place}' for place in range(DECIMAL_PLACES))} AS i FROM "  # noqa: S608  # digits
    + " CROSS JOIN ".join(f"{DIGITS} d{place}" for place in reversed(range(DECIMAL_PLACES)))
    + ") numbers"
)
"""0 to ROWS_AT_ONCE - 1 on any database, in this order: each index grows at its end, which makes it quick."""


def fill(*, rows: int) -> dict[str, Any]:
    """Bring the history to `rows` ended jobs, at most MAX_ROWS; the `seconds` it took."""
    began = time.perf_counter()
    have = Job.objects.filter(lane__gte=str(FIRST_ID), lane__lt=str(2 * FIRST_ID), head_of=None).count()
    for first in range(have, rows, ROWS_AT_ONCE):
        with transaction.atomic():
            _insert_history(first, min(rows, first + ROWS_AT_ONCE))
    if have < rows:
        _analyze()
    return {"seconds": time.perf_counter() - began}


def _insert_history(first: int, end: int) -> None:
    """Deals number `first` to `end` - 1 of the history, the last of a million a minute old."""
    route = Route.objects.earliest("pk")
    deal, moment = _as_text(f"i + {FIRST_ID}"), _moment()
    event_id, job_id, link_id = (f"i + {_next_id(model) - first}" for model in (Event, Job, Link))
    known = {
        **dict.fromkeys(MOMENTS, moment),
        **dict.fromkeys(("record_id", "own_id", "source_id", "target_id", "lane", "fingerprint"), deal),
        "route_id": str(route.pk),
        "portal_id": str(route.source_id),
        "event_id": event_id,
        "step": "'stage'",
        "head_of": "NULL",
    }
    is_failed, is_rare = f"i % {FAILED_EVERY} = 0", f"i % {WRONG_SETTING_EVERY} = 0"
    own: dict[type[Model], Mapping[str, str]] = {
        Event: {
            "id": event_id,
            "entity": "'deal'",
            "outcome": f"CASE WHEN i % {IGNORED_EVERY} = 0 THEN 'ignored' ELSE 'queued' END",
        },
        Job: {
            "id": job_id,
            "kind": "'deal'",
            "state": f"CASE WHEN {is_failed} THEN 'failed' ELSE 'done' END",
            "failure": f"CASE WHEN {is_rare} THEN 'config' WHEN {is_failed} THEN 'refused' ELSE '' END",
        },
        Link: {"id": link_id, "state": "'linked'"},
        Attempt: {"job_id": job_id, "outcome": "'passed'", "request_id": "'history'"},
    }
    for model, expressions in own.items():
        _insert(model, {**known, **expressions}, first=first, end=end)


def _moment() -> str:
    """SQL: when deal `i` came, the later the greater `i` is."""
    begin = f"'{timezone.now() - timedelta(days=DAYS, minutes=1):%Y-%m-%d %H:%M:%S}'"
    seconds = (
        f"CAST(i * {DAYS * 86400 / MAX_ROWS} AS {'INTEGER' if connection.vendor == 'sqlite' else 'SIGNED'})"
    )
    if connection.vendor == "sqlite":
        return f"datetime({begin}, '+' || {seconds} || ' seconds')"
    return f"DATE_ADD({begin}, INTERVAL {seconds} SECOND)"


def _insert(model: type[Model], expressions: Mapping[str, str], *, first: int, end: int) -> None:
    """One INSERT … SELECT; columns without an expression get their default."""
    columns: list[str] = []
    values: list[str] = []
    defaults: list[Any] = []
    for field in model._meta.concrete_fields:
        expression = expressions.get(field.attname)
        if expression is None and field.primary_key:
            continue
        columns.append(connection.ops.quote_name(str(field.column)))
        values.append(expression or "%s")
        if expression is None:
            defaults.append(field.get_db_prep_save(field.get_default(), connection))
    table = connection.ops.quote_name(model._meta.db_table)
    # % is doubled where it is no parameter
    selected = ", ".join(value if value == "%s" else value.replace("%", "%%") for value in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {selected} "  # noqa: S608  # names and numbers
            f"FROM (SELECT i + {first} AS i FROM {NUMBERS} WHERE i < {end - first}) history",
            defaults,
        )


def _as_text(number: str) -> str:
    return f"CAST({number} AS {'TEXT' if connection.vendor == 'sqlite' else 'CHAR'})"


def _next_id(model: type[Model]) -> int:
    last: int | None = model._default_manager.aggregate(last=Max("pk"))["last"]
    return (last or 0) + 1


def _analyze() -> None:
    """What MySQL learns by itself in the time a million jobs take. SQLite never does, so it must not here."""
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        for model in (Event, Job, Link, Attempt):
            cursor.execute(f"ANALYZE TABLE {connection.ops.quote_name(model._meta.db_table)}")
