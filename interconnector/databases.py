"""The databases of the settings: their engines and options."""

from __future__ import annotations

from pathlib import Path

from environ import Env

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL;"
    # FULL: a webhook answered 200 survives a power cut; NORMAL would lose the last commits
    "PRAGMA synchronous={synchronous};"
    "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728; PRAGMA cache_size=-20000;"
)
MYSQL_OPTIONS = {
    "charset": "utf8mb4",
    "isolation_level": "read committed",
    "init_command": "SET sql_mode='STRICT_TRANS_TABLES'",
    "connect_timeout": 5,
    "read_timeout": 60,
    "write_timeout": 60,
}


def own_database(env: Env, *, folder: Path) -> dict[str, object]:
    """The database of our own tables: DATABASE_URL, or DB_HOST with the other DB_… (MySQL), or SQLite."""
    if url := env.str("DATABASE_URL", default=""):
        database = dict(env.db_url_config(url))
    elif host := env.str("DB_HOST", default=""):
        database = {
            "ENGINE": "django.db.backends.mysql",
            "HOST": host,
            "PORT": env.str("DB_PORT", default="3306"),
            "NAME": env.str("DB_NAME"),
            "USER": env.str("DB_USER"),
            "PASSWORD": env.str("DB_PASS"),
        }
    else:
        folder.mkdir(exist_ok=True)
        database = dict(env.db_url_config(f"sqlite:///{folder / 'interconnector.sqlite3'}"))
    return tuned(env, database)


def tuned(env: Env, database: dict[str, object]) -> dict[str, object]:
    """The database with the options its engine needs for many workers."""
    options: dict[str, object] = dict(database.get("OPTIONS") or {})  # type: ignore[call-overload]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        # IMMEDIATE: a writer waits its turn at BEGIN instead of failing in the middle
        pragmas = SQLITE_PRAGMAS.format(synchronous=env.str("SQLITE_SYNCHRONOUS", default="FULL"))
        options |= {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": pragmas}
    if database["ENGINE"] == "django.db.backends.mysql":
        options = MYSQL_OPTIONS | options
    return database | {"OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
