"""Deals that would travel in a circle: back to the portal where they began."""

from sync.connectors.types import Record
from sync.models import Link, Route

MAX_HOPS = 10


def is_return(route: Route, record: Record) -> bool:
    """Whether the deal began on the portal it would be delivered to, however many portals lie between.

    Our own stamp on the deal tells where it came from; from there on the deal mappings do. Two routes there
    and back, or routes in a circle, would otherwise copy each other's copies for ever.
    """
    originator, _, slug = str(record.get("ORIGINATOR_ID") or "").partition("/")
    if originator != Route.ORIGINATOR:
        return False
    came_by = Route.objects.filter(slug=slug, flow=route.flow, target_id=route.source_id).first()
    deal_id = str(record.get("ORIGIN_ID") or "")
    for _ in range(MAX_HOPS):
        if came_by is None or came_by.source_id == route.target_id:
            return came_by is not None
        links = Link.objects.filter(entity="deal", target_id=deal_id, route__target_id=came_by.source_id)
        link = links.select_related("route").first()
        if link is None:
            return False
        came_by, deal_id = link.route, link.source_id
    return True
