"""Searching by a record's exact ID, through indexes; never LIKE '%…%', which reads the whole table."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sync.admin.cards import DealNumber, portals_at, read_id
from sync.flows import FLOWS
from sync.models import Link, Route

MAX_FOUND = 2000
"""Rows about one deal; more are not shown."""

HELP = _("The ID of a deal, lead or user, or the address of a card.")


class DealSearch:
    """Search for screens whose rows have a route and two record IDs."""

    search_fields: Any = ("source_id", "target_id")  # only to have a search box
    search_help_text: Any = HELP

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows whose source or target deal is the one searched for."""
        if not search_term.strip():
            return queryset, False
        number = read_id(search_term)
        if number is None:
            return queryset.none(), False
        return queryset.filter(pk__in=_found(queryset.model._default_manager.all(), number)), False


def mapped_entities() -> list[str]:
    """What staff see the mappings of: what the links of the flows join, without the parties beside them."""
    return sorted({flow.entity for flow in FLOWS.values()})


def found_links(number: DealNumber) -> list[int]:
    """IDs of the deal and lead mappings of that record."""
    return _found(Link.objects.filter(entity__in=mapped_entities()), number)


def _found(rows: QuerySet[Any], number: DealNumber) -> list[int]:
    """IDs of the rows about the record: two index look-ups, and the host compared here, because with a join
    to the routes MariaDB would read all rows.
    """
    either = Q(source_id=number.deal_id) | Q(target_id=number.deal_id)
    found = rows.filter(either).order_by().values_list("pk", "source_id", "target_id", "route_id")[:MAX_FOUND]
    if not number.host:
        return [pk for pk, *_rest in found]
    portals = portals_at(number.host)
    begins = set(Route.objects.filter(source__in=portals).values_list("pk", flat=True))
    ends = set(Route.objects.filter(target__in=portals).values_list("pk", flat=True))
    return [
        pk
        for pk, source_id, target_id, route_id in found
        if (source_id == number.deal_id and route_id in begins)
        or (target_id == number.deal_id and route_id in ends)
    ]
