"""The first page of the admin for its template: bad news, and the queue."""

from typing import Any

from django import template

from sync.admin import overview
from sync.admin.board import Row, board

register = template.Library()


@register.simple_tag
def bad_news(user: Any) -> list[dict[str, Any]] | None:
    """Rows of the table, only what `user` may see."""
    return overview.bad_news(user)


@register.simple_tag
def queue_board(user: Any) -> list[Row] | None:
    """A row a route; None when `user` may not see jobs."""
    return board(user)
