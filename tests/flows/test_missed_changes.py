"""A change whose webhook was lost is found: the vendor never sends it again."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_q.models import OrmQ

from sync.maintenance import reconciliation
from sync.models import Job, Route


def change(bus, deal_id, title) -> None:
    bus.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": title}})


def deliver(bus) -> str:
    [deal_id] = bus.seed()
    bus.webhook(deal_id)
    bus.run()
    return deal_id


def take_all(bus) -> None:
    bus.route.options = {**bus.route.options, "reconcile": "all"}
    bus.route.save(update_fields=["options"])


def test_a_lost_update_arrives_all_the_same(bus):
    deal_id = deliver(bus)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    change(bus, deal_id, "told by nobody")
    assert reconciliation.reconcile(bus.route.pk) == 1
    bus.run()
    assert bus.deals()[0]["TITLE"] == "told by nobody"


def test_a_lost_create_arrives_only_where_the_route_takes_all_deals(bus):
    bus.seed(3)
    assert reconciliation.reconcile(bus.route.pk) == 0
    take_all(bus)
    Route.objects.update(reconciled_until=None)
    assert reconciliation.reconcile(bus.route.pk) == 3
    bus.run()
    assert len(bus.deals()) == 3


def test_what_a_webhook_told_is_not_queued_again(bus):
    take_all(bus)
    ids = bus.seed(2)
    Job.objects.all().delete()
    for deal_id in ids:
        bus.webhook(deal_id)
    bus.run()
    Job.objects.update(created_at=timezone.now() + timedelta(seconds=2))
    assert reconciliation.reconcile(bus.route.pk) == 0


def test_a_portal_away_puts_the_look_off_and_forgets_nothing(bus):
    deal_id = deliver(bus)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    change(bus, deal_id, "while nobody looked")
    bus.source.post("faults", {"away": True})
    assert reconciliation.reconcile(bus.route.pk) == 0
    assert Route.objects.get().reconciled_until is None
    bus.source.post("faults", {})
    assert reconciliation.reconcile(bus.route.pk) == 1


def test_a_look_starts_when_its_time_has_come_and_once(bus):
    reconciliation.start_due()
    reconciliation.start_due()
    tasks = [row.func() for row in OrmQ.objects.all()]
    assert tasks.count("sync.tasks.reconcile") == 1
    Route.objects.update(look_at=timezone.now())
    reconciliation.start_due()
    assert [row.func() for row in OrmQ.objects.all()].count("sync.tasks.reconcile") == 2
    Route.objects.update(look_at=None, reconcile_minutes=0)
    reconciliation.start_due()
    assert [row.func() for row in OrmQ.objects.all()].count("sync.tasks.reconcile") == 2
