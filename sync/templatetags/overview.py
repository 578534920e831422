"""Template tags of the admin's first page: problems, and the queue."""

from typing import Any

from django import template

from sync.admin import overview
from sync.admin.queue_table import QueueRow
from sync.admin.queue_table import queue_table as rows_of

register = template.Library()


@register.simple_tag
def problems(user: Any) -> list[dict[str, Any]] | None:
    """One row a problem; None when `user` may see none of them."""
    return overview.problems(user)


@register.simple_tag
def queue_table(user: Any) -> list[QueueRow] | None:
    """A row a route; None when `user` may not see jobs."""
    return rows_of(user)
