"""A past of a million deals: ended jobs with their events, links and attempts, written by the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Model
from django.utils import timezone

from sync.models import Attempt, Event, Job, Link, Route

FIRST_ID = 1_000_000_000
"""Deals of the past begin here, so that no deal of a run is taken for one of them."""

A_FAILED_ONE = 100
"""Of so many jobs one has failed: staff look for these."""

DIGITS = "(" + " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10)) + ")"
PLACES = 6
NUMBERS = (
    f"(SELECT {' + '.join(f'd{place}.d * {10**place}' for place in range(PLACES))} AS i FROM "  # noqa: S608  # digits
    + " CROSS JOIN ".join(f"{DIGITS} d{place}" for place in range(PLACES))
    + ") numbers"
)
"""0 to 999 999, on any database."""


def fill(*, rows: int) -> dict[str, Any]:
    """Bring the past to `rows` ended jobs, at most a million."""
    have = Job.objects.filter(lane__gte=str(FIRST_ID), lane__lt=str(2 * FIRST_ID), head_of=None).count()
    if have < rows:
        with transaction.atomic():
            _insert_past(have, rows)
        _analyze()
    return {"jobs": Job.objects.count()}


def _insert_past(first: int, end: int) -> None:
    """Deals number `first` to `end` - 1 of the past, a day old."""
    route = Route.objects.earliest("pk")
    deal, quoted = _as_text(f"i + {FIRST_ID}"), f"'{timezone.now() - timedelta(days=1):%Y-%m-%d %H:%M:%S}'"
    event_id, job_id = f"i + {_next_id(Event) - first}", f"i + {_next_id(Job) - first}"
    moments = dict.fromkeys(("received_at", "created_at", "finished_at", "started_at", "ended_at"), quoted)
    known = {
        **moments,
        **dict.fromkeys(("record_id", "own_id", "source_id", "target_id", "lane", "fingerprint"), deal),
        "reported_at": quoted,
        "updated_at": quoted,
        "route_id": str(route.pk),
        "portal_id": str(route.source_id),
        "event_id": event_id,
        "step": "'stage'",
        "head_of": "NULL",
    }
    is_failed = f"i % {A_FAILED_ONE} = 0"
    own: dict[type[Model], Mapping[str, str]] = {
        Event: {"id": event_id, "entity": "'deal'", "outcome": "'queued'"},
        Job: {
            "id": job_id,
            "kind": "'deal'",
            "state": f"CASE WHEN {is_failed} THEN 'failed' ELSE 'done' END",
            "failure": f"CASE WHEN {is_failed} THEN 'refused' ELSE '' END",
        },
        Link: {"state": "'linked'"},
        Attempt: {"job_id": job_id, "outcome": "'passed'", "request_id": "'past'"},
    }
    for model, expressions in own.items():
        _insert(model, {**known, **expressions}, first=first, end=end)


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
            f"FROM {NUMBERS} WHERE i >= {first} AND i < {end}",
            defaults,
        )


def _as_text(number: str) -> str:
    return f"CAST({number} AS {'TEXT' if connection.vendor == 'sqlite' else 'CHAR'})"


def _next_id(model: type[Model]) -> int:
    last: int | None = model._default_manager.aggregate(last=Max("pk"))["last"]
    return (last or 0) + 1


def _analyze() -> None:
    """What a database learns by itself in the time a million jobs take."""
    names = [connection.ops.quote_name(model._meta.db_table) for model in (Event, Job, Link, Attempt)]
    word = "ANALYZE" if connection.vendor == "sqlite" else "ANALYZE TABLE"
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"{word} {name}")
