"""A finding: what somebody who looked at the installation has to say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fault"]


@dataclass(frozen=True)
class Finding:
    """`where` it was seen, `what` is the case, and what to do (`todo`, empty when all is well).

    A fault keeps work from being done; a warning may do so some day, or costs safety.
    """

    level: Level
    where: str
    what: str
    todo: str = ""


def ok(where: str, what: str) -> Finding:
    """All is well here."""
    return Finding("ok", where, what)


def warn(where: str, what: str, todo: str) -> Finding:
    """It works, but somebody should look."""
    return Finding("warn", where, what, todo)


def fault(where: str, what: str, todo: str = "") -> Finding:
    """Work does not get done."""
    return Finding("fault", where, what, todo)
