"""Pages of tables with millions of rows: counting stops early, and rows are read only for the page."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property

MAX_COUNTED = 5000
"""Rows that are counted and can be paged through; whoever needs more sets a filter."""


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic only for mypy
    """Counts up to MAX_COUNTED rows: a COUNT(*) over a million takes seconds, and nobody pages there.

    A page is first looked for among IDs alone, which an index mostly holds; then its rows are read. In one
    query the database would read thousands of rows from all over the table, only to sort fifty to the top.
    """

    object_list: Any

    @cached_property
    def count(self) -> int:
        """The number of rows, or MAX_COUNTED when there are more."""
        return int(self.object_list.order_by().values("pk")[: MAX_COUNTED + 1].count())

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.count > MAX_COUNTED

    def page(self, number: int | str) -> Page[Any]:
        """One page; its rows are a list."""
        page: Page[Any] = super().page(number)
        chosen: Any = page.object_list
        ids = list(chosen.prefetch_related(None).values_list("pk", flat=True))
        rows = self.object_list.order_by()
        rows.query.clear_where()  # the search's conditions would only slow the look-up by ID down
        found = rows.in_bulk(ids)
        page.object_list = [found[pk] for pk in ids if pk in found]
        return page
