"""Searching by a deal's exact ID, through indexes; never LIKE '%…%', which reads the whole table."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sync.admin.cards import DealNumber, portals_at, read_number

HELP = _("A deal's ID from either portal, or the address of its card.")


class DealSearch:
    """For screens of rows with a route and two deals."""

    search_fields: Any = ("source_id", "target_id")  # only to have a search box
    search_help_text: Any = HELP

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows whose source or target deal is the one searched for."""
        if not search_term.strip():
            return queryset, False
        number = read_number(search_term)
        return (queryset.filter(_either(number)) if number else queryset.none()), False


def _either(number: DealNumber) -> Q:
    """Feedback on a deal that is not mapped yet stands under "?" and the target's ID."""
    source, target = Q(source_id__in=[number.deal_id, f"?{number.deal_id}"]), Q(target_id=number.deal_id)
    if not number.host:
        return source | target
    portals = portals_at(number.host)
    unknown = Q(source_id=f"?{number.deal_id}", route__target__in=portals)
    return (
        Q(source_id=number.deal_id, route__source__in=portals)
        | unknown
        | target & Q(route__target__in=portals)
    )
