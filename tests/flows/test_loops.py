"""Deals are not copied in loops, and a lost link makes no second deal."""

from __future__ import annotations

from sync.models import Job, Link, Route
from tests.flows.conftest import STAGE


def test_a_route_back_does_not_copy_the_copy(pair):
    back = Route.objects.create(slug="beta-alpha", source=pair.to_portal, target=pair.from_portal)
    for mapping in pair.route.mappings.filter(to="TITLE"):
        back.mappings.create(to=mapping.to, origin=mapping.origin, source=mapping.source)
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    pair.run()
    [copy] = pair.deals()
    pair.webhook(copy["ID"], portal=pair.to_portal)
    pair.run()
    assert len(pair.source.get("deals")["deals"]) == 1
    assert Job.objects.get(route=back).state == "skipped"


def test_a_new_deal_still_takes_the_route_back(pair):
    back = Route.objects.create(slug="beta-alpha", source=pair.to_portal, target=pair.from_portal)
    back.mappings.create(to="TITLE", origin="field", source="TITLE")
    own = pair.call("target", "crm.deal.add", {"fields": {"TITLE": "begun there"}})
    pair.webhook(str(own), portal=pair.to_portal)
    pair.run()
    assert [deal["TITLE"] for deal in pair.source.get("deals")["deals"]] == ["begun there"]


def test_after_a_restore_a_deal_whose_link_is_forgotten_is_found_not_created(pair):
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    pair.run()
    Link.objects.all().delete()
    Job.objects.all().delete()
    pair.route.options = {"stage": STAGE, "look_first": True}
    pair.route.save(update_fields=["options"])
    pair.webhook(deal_id)
    pair.run()
    [deal] = pair.deals()
    assert Link.objects.get().target_id == deal["ID"]
