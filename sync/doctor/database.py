"""The database: does it answer, is it migrated, is it durable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from sync.flows.findings import Finding, fault, ok, warn
from sync.redaction.masking import mask

WHERE = "database"
MIN_PACKET = 16 * 1024 * 1024
"""Bytes: a parcel of 50 deals with long comments is stored in one statement."""

MAX_SKEW = 5.0
"""Seconds by which two clocks of one installation may differ."""


def check_database() -> tuple[bool, list[Finding]]:
    """Whether the tables can be read, and the findings about the database."""
    try:
        connection.ensure_connection()
        findings = list(_migrations())
        is_usable = not any(finding.level == "fault" for finding in findings)
        return is_usable, [*findings, *ENGINES.get(connection.vendor, _no_findings)()]
    except (DatabaseError, InterfaceError) as error:
        todo = _("Start the database, or correct DATABASE_URL (DB_HOST, DB_NAME, DB_USER, DB_PASS).")
        return False, [fault(WHERE, _("The database does not answer: %s") % mask(str(error)), todo)]


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _is_back in missing[:5])
        words = {"count": len(missing), "names": names}
        text = _("%(count)d migrations are missing: %(names)s.") % words
        yield fault(WHERE, text, _("Run `manage.py migrate`."))
    else:
        yield ok(WHERE, _("%s answers and all migrations are applied.") % connection.display_name)


def _sqlite() -> Iterator[Finding]:
    mode = str(_value("PRAGMA journal_mode")).lower()
    if mode == "wal":
        yield ok(WHERE, _("SQLite writes ahead (WAL): webhooks and workers do not lock each other out."))
    else:
        yield warn(
            WHERE,
            _("SQLite's journal mode is %s: webhooks and workers lock each other out.") % mode,
            _("Keep the file on a local disk; network file systems cannot do WAL."),
        )
    if int(_value("PRAGMA synchronous") or 0) < 2:
        yield warn(
            WHERE,
            _("SQLite does not wait for the disk: a power cut may lose webhooks that were accepted."),
            _("Set SQLITE_SYNCHRONOUS=FULL."),
        )


def _mysql() -> Iterator[Finding]:
    charset = str(_value("SELECT @@character_set_database"))
    if charset != "utf8mb4":
        yield fault(
            WHERE,
            _("The database's character set is %s: emoji and some letters cannot be stored.") % charset,
            _("Run ALTER DATABASE … CHARACTER SET utf8mb4 and convert the tables."),
        )
    isolation = str(_value("SELECT @@transaction_isolation", "SELECT @@tx_isolation"))
    if isolation.upper() != "READ-COMMITTED":
        yield warn(
            WHERE,
            _("Transactions are isolated by %s: workers wait for each other's locks.") % isolation,
            _('Leave "isolation_level" of the connection at "read committed".'),
        )
    packet = int(_value("SELECT @@global.max_allowed_packet") or 0)
    if packet < MIN_PACKET:
        yield warn(
            WHERE,
            _("max_allowed_packet is %d MiB: deals with long comments may not fit.") % (packet // 2**20),
            _("Set max_allowed_packet to 16M or more on the database server."),
        )
    if str(_value("SELECT @@innodb_flush_log_at_trx_commit")) != "1":
        yield warn(
            WHERE,
            _("The database does not wait for the disk: a power cut may lose webhooks that were accepted."),
            _("Set innodb_flush_log_at_trx_commit=1 on the database server."),
        )
    if not connection.features.has_select_for_update_skip_locked:
        yield warn(
            WHERE,
            _("This version has no SKIP LOCKED: workers wait for each other."),
            _("Use MariaDB 10.6, MySQL 8.0.1 or newer."),
        )
    yield _clock(_value("SELECT UTC_TIMESTAMP(6)"))


def _clock(value: Any) -> Finding:
    server_time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    skew = abs(datetime.now(UTC) - server_time.replace(tzinfo=UTC))
    if skew > timedelta(seconds=MAX_SKEW):
        return warn(
            WHERE,
            _("The database's clock and ours differ by %d s.") % skew.total_seconds(),
            _("Let NTP set the clocks of all hosts."),
        )
    return ok(WHERE, _("The database's clock agrees with ours."))


def _no_findings() -> Iterator[Finding]:
    yield from ()


def _value(*queries: str) -> Any:
    """The one value of the first query that this server understands; None when it understands none."""
    for query in queries:
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchone()[0]
        except DatabaseError:
            continue
    return None


ENGINES = {"sqlite": _sqlite, "mysql": _mysql}
"""Django's vendor name → the findings about such a server."""
