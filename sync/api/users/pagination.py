"""Pages of the list of users."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class UserPagination(CursorPagination):
    """Pages by ID: the last one costs as much as the first, and none shifts while users are added."""

    ordering = "-id"

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return where the page begins; ValidationError for a cursor that we have not made."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
        except NotFound as error:
            raise _unknown_cursor() from error
        if cursor and not str(cursor.position or 0).isdecimal():
            raise _unknown_cursor()
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page; in DRF's own description the links may be missing, and lead elsewhere."""
        link = {"type": "string", "format": "uri", "nullable": True, "example": None}
        properties = {
            "next": {**link, "description": "The address of the page with older users."},
            "previous": {**link, "description": "The address of the page with newer ones."},
            "results": schema,
        }
        return {"type": "object", "properties": properties, "required": list(properties)}


def _unknown_cursor() -> ValidationError:
    return ValidationError({"cursor": [_("Take the cursor from “next” or “previous” of another page.")]})
