"""Deals do not travel in circles, and a forgotten link makes no second deal."""

from __future__ import annotations

from sync.models import Job, Link, Route
from tests.flows.conftest import STAGE


def test_a_route_back_does_not_copy_the_copy(bus):
    back = Route.objects.create(slug="beta-alpha", source=bus.to_portal, target=bus.from_portal)
    for mapping in bus.route.mappings.filter(to="TITLE"):
        back.mappings.create(to=mapping.to, origin=mapping.origin, source=mapping.source)
    [deal_id] = bus.seed()
    bus.webhook(deal_id)
    bus.run()
    [copy] = bus.deals()
    bus.webhook(copy["ID"], portal=bus.to_portal)
    bus.run()
    assert len(bus.source.get("deals")["deals"]) == 1
    assert Job.objects.get(route=back).state == "skipped"


def test_a_new_deal_still_takes_the_route_back(bus):
    back = Route.objects.create(slug="beta-alpha", source=bus.to_portal, target=bus.from_portal)
    back.mappings.create(to="TITLE", origin="field", source="TITLE")
    own = bus.call("target", "crm.deal.add", {"fields": {"TITLE": "begun there"}})
    bus.webhook(str(own), portal=bus.to_portal)
    bus.run()
    assert [deal["TITLE"] for deal in bus.source.get("deals")["deals"]] == ["begun there"]


def test_after_a_restore_a_deal_whose_link_is_forgotten_is_found_not_created(bus):
    [deal_id] = bus.seed()
    bus.webhook(deal_id)
    bus.run()
    Link.objects.all().delete()
    Job.objects.all().delete()
    bus.route.options = {"stage": STAGE, "look_first": True}
    bus.route.save(update_fields=["options"])
    bus.webhook(deal_id)
    bus.run()
    [deal] = bus.deals()
    assert Link.objects.get().target_id == deal["ID"]
