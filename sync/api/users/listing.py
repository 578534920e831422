"""Pages of users: the newest first, found by keys of an index however many there are."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from sync.api.users.answers import tell_all
from sync.api.users.fields import WANTED
from sync.messaging import users
from sync.models import CoreUser


class Pages(CursorPagination):
    """Pages by ID: the last one costs as much as the first, and none shifts while users are added."""

    ordering = "-id"

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The place a page begins at; ValidationError for one that we have not made."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
        except NotFound as error:
            raise _unknown_cursor() from error
        if cursor and not str(cursor.position or 0).isdecimal():
            raise _unknown_cursor()
        return cursor


def page_of(request: Request) -> dict[str, Any]:
    """The users asked for, and where the neighbouring pages are."""
    wanted = WANTED.checked(request.query_params.dict())
    found = CoreUser.objects.all()
    for column in ("stage", "lead_state"):
        if column in wanted:
            found = found.filter(**{column: wanted[column]})
    if term := wanted.get("search"):
        found = users.search(found, term)
    pages = Pages()
    pages.page_size = wanted["page_size"]
    rows = pages.paginate_queryset(found, request)
    return {"next": pages.get_next_link(), "previous": pages.get_previous_link(), "results": tell_all(rows)}


def _unknown_cursor() -> ValidationError:
    return ValidationError({"cursor": [_("Take the cursor from “next” or “previous” of another page.")]})
