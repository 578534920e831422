"""`make env`: write .env from .env.example with fresh keys, readable by its owner only. Never overwrites."""

import base64
import os
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def fresh_env(example: str) -> str:
    """The example with a SECRET_KEY, a database password and a Fernet key (32 bytes, URL-safe base64)."""
    fresh = {
        "SECRET_KEY=": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS=": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "DB_PASS=": secrets.token_urlsafe(24),
    }
    return "".join(line + fresh.get(line, "") + "\n" for line in example.splitlines())


def main() -> int:
    """Exit code 0 when .env is there, new or old."""
    target = ROOT / ".env"
    text = fresh_env((ROOT / ".env.example").read_text(encoding="utf-8"))
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stdout.write(".env stands already and is left as it is.\n")
        return 0
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    sys.stdout.write(".env is written, with fresh keys. Keep a copy of FIELD_ENCRYPTION_KEYS elsewhere.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
