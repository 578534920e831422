"""Pages of tables with millions of rows: counting stops early."""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

MOST_COUNTED = 5000
"""Rows that are counted and can be paged through; staff who need more set a filter."""


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic only for mypy
    """Counts up to MOST_COUNTED rows: a COUNT(*) over a million takes seconds, and nobody pages there."""

    object_list: Any

    @cached_property
    def count(self) -> int:
        """The number of rows, or MOST_COUNTED when there are more."""
        return int(self.object_list.order_by().values("pk")[: MOST_COUNTED + 1].count())

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.count > MOST_COUNTED
