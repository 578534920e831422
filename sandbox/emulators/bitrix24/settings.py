"""How one emulated portal behaves; every figure here is the vendor's default unless said otherwise."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone

SCOPES = ["crm", "lists", "user", "disk", "department", "bizproc", "event"]


@dataclass(slots=True)
class Settings:
    """Seconds and counts.

    `bucket` is (size, leak a second) or None for no limit; `operating_limit` is seconds per method in ten
    minutes or None; `operating_seconds` is what a call costs: one number, one by method, or None for the time
    it really took.
    https://apidocs.bitrix24.com/limits.html
    """

    code: str = "demo0code"
    user_id: int = 1
    bucket: tuple[float, float] | None = (50.0, 2.0)
    operating_limit: float | None = 480.0
    operating_seconds: float | Mapping[str, float] | None = None
    latency: float = 0.0
    request_limit: float = 60.0  # a longer request is cut; what it has done stays done
    utc_offset: timezone = field(default_factory=lambda: timezone(timedelta(hours=3)))
    credentials_status: int = 401
    crm_mode: int = 1
    comment_events: str = "both"
    senders: int = 1
    seed: int = 0
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    features: dict[str, str] = field(
        default_factory=lambda: {"rest_offline_extended": "Y", "rest_auth_connector": "Y"}
    )
    clock: Callable[[], float] = time.time
