"""The first page of the admin for its template: bad news, and the queue."""

from typing import Any

from django import template

from sync.admin import overview
from sync.admin.queue_table import QueueRow
from sync.admin.queue_table import queue_table as rows_of

register = template.Library()


@register.simple_tag
def bad_news(user: Any) -> list[dict[str, Any]] | None:
    """Rows of the table, only what `user` may see."""
    return overview.bad_news(user)


@register.simple_tag
def queue_table(user: Any) -> list[QueueRow] | None:
    """A row a route; None when `user` may not see jobs."""
    return rows_of(user)
