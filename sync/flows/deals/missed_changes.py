"""Changed deals for which no webhook came."""

from django.db.models import Max

from sync.connectors.types import ListedRecord
from sync.flows.deals.next_step import DELIVERY
from sync.flows.deals.options import DealOptions
from sync.models import Job, Link, Route


def missed(route: Route, seen: list[ListedRecord]) -> list[str]:
    """IDs of deals that changed after the last job we have for them.

    A deal that has not travelled yet counts only where the route takes all deals of its source.
    """
    ids = [one.id for one in seen]
    takes_all = DealOptions.of(route.options).reconcile == "all"
    links = Link.objects.filter(route=route, entity="deal", source_id__in=ids)
    linked = set(links.values_list("source_id", flat=True))
    jobs = Job.objects.filter(lane__in=[Job.lane_of(route.pk, DELIVERY, one) for one in ids])
    newest = dict(jobs.values_list("source_id").annotate(newest=Max("created_at")))
    return [
        one.id
        for one in seen
        if (takes_all or one.id in linked)
        and (one.id not in newest or one.changed_at is None or newest[one.id] < one.changed_at)
    ]
