"""The answer to a refused request: one shape for all addresses."""

from __future__ import annotations

import time
from collections.abc import Mapping

from django.http import JsonResponse


def failure(
    status: int, code: str, message: str, *, fields: Mapping[str, list[str]] | None = None
) -> JsonResponse:
    """The answer: `code` for programs, `message` for people, `fields`: field name → its mistakes."""
    error: dict[str, object] = {"message": message, "code": code}
    if fields:
        error["fields"] = fields
    return JsonResponse({"success": False, "error": error, "timestamp": int(time.time())}, status=status)
