"""The environment of the test suite, set before Django reads its settings; no .env leaks in.

pytest loads it as a plugin (`-p tests.environment` in pyproject.toml). TEST_DATABASE=mysql runs the suite
on MariaDB or MySQL instead of SQLite.
"""

import os
import shutil
import signal
import tempfile

KEEP_OR = {
    "TEST_MYSQL_URL": "mysql://b24_test:b24_test@127.0.0.1:3306/",
    "TEST_REDIS_URL": "redis://127.0.0.1:6379/15",
    "TEST_RABBITMQ_URL": "amqp://guest:guest@127.0.0.1:5672/",
    "CHROMIUM": shutil.which("chromium") or shutil.which("google-chrome") or "",
}
for name, value in KEEP_OR.items():
    os.environ.setdefault(name, value)

# started in the background by a shell without job control: what we start would ignore Ctrl-C, too
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# the suite starts hundreds of processes: each would compile the product anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# the processes of a run share what is made once
if IS_FIRST := "TEST_RUN_FOLDER" not in os.environ:
    os.environ["TEST_RUN_FOLDER"] = tempfile.mkdtemp(prefix="b24-suite-")

IS_MYSQL = os.environ.get("TEST_DATABASE") == "mysql"
os.environ.update(
    {
        "DATABASE_URL": f"{os.environ['TEST_MYSQL_URL']}b24_suite" if IS_MYSQL else "sqlite:///:memory:",
        "SQLITE_SYNCHRONOUS": "OFF",  # processes are killed in tests, the power is not cut
        "SECRET_KEY": "of-the-tests-and-nobody-else-0123456789-abcdefghijklmnopqrstuvwxyz",
        "FIELD_ENCRYPTION_KEYS": "b2YtdGhlLXRlc3RzLWFuZC1ub2JvZHktZWxzZS0wMDA=",
        "DEBUG": "false",
        "HTTPS": "false",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
        "PORTAL_HOSTS": "127.0.0.1",
        "ALLOW_PRIVATE_HOSTS": "true",
        "LANGUAGE_CODE": "en",
        "TIME_ZONE": "Europe/Moscow",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "text",
        "WATCHDOG_SECONDS": "60",
        "WORKERS": "2",
    }
)
for name in (
    "REDIS_URL", "RABBITMQ_URL", "BITRIX_SOURCE_URL", "BITRIX_TARGET_URL", "B24_AUTH_TOKEN",
    "BITRIX_WEBHOOK_URL", "DIRECTORIES_DATABASE_URL", "SENTRY_DSN",
):  # fmt: skip
    os.environ[name] = ""
