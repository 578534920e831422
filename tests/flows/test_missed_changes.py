"""A change whose webhook was lost is found: the vendor never sends it again."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_q.models import OrmQ

from sync.maintenance import reconciliation
from sync.models import Job, Route


def change_title(pair, deal_id, title) -> None:
    """Change a source deal without sending a webhook."""
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": title}})


def deliver_deal(pair) -> str:
    """Deliver a deal; its ID on the source."""
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    pair.run()
    return deal_id


def reconcile_all_deals(pair) -> None:
    """Let the route reconcile all deals, not only those it has linked."""
    pair.route.options = {**pair.route.options, "reconcile": "all"}
    pair.route.save(update_fields=["options"])


def test_a_lost_update_arrives_all_the_same(pair):
    deal_id = deliver_deal(pair)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    change_title(pair, deal_id, "without a webhook")
    assert reconciliation.reconcile(pair.route.pk) == 1
    pair.run()
    assert pair.deals()[0]["TITLE"] == "without a webhook"


def test_a_lost_create_arrives_only_where_the_route_takes_all_deals(pair):
    pair.seed(3)
    assert reconciliation.reconcile(pair.route.pk) == 0
    reconcile_all_deals(pair)
    Route.objects.update(reconciled_until=None)
    assert reconciliation.reconcile(pair.route.pk) == 3
    pair.run()
    assert len(pair.deals()) == 3


def test_what_a_webhook_reported_is_not_queued_again(pair):
    reconcile_all_deals(pair)
    ids = pair.seed(2)
    Job.objects.all().delete()
    for deal_id in ids:
        pair.webhook(deal_id)
    pair.run()
    Job.objects.update(created_at=timezone.now() + timedelta(seconds=2))
    assert reconciliation.reconcile(pair.route.pk) == 0


def test_a_portal_away_delays_reconciliation_and_loses_nothing(pair):
    deal_id = deliver_deal(pair)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    change_title(pair, deal_id, "while nobody looked")
    pair.source.post("faults", {"away": True})
    assert reconciliation.reconcile(pair.route.pk) == 0
    assert Route.objects.get().reconciled_until is None
    pair.source.post("faults", {})
    assert reconciliation.reconcile(pair.route.pk) == 1


def test_reconciliation_starts_when_it_is_due_and_once(pair):
    reconciliation.start_due()
    reconciliation.start_due()
    tasks = [row.func() for row in OrmQ.objects.all()]
    assert tasks.count("sync.tasks.reconcile") == 1
    Route.objects.update(next_reconcile_at=timezone.now())
    reconciliation.start_due()
    assert [row.func() for row in OrmQ.objects.all()].count("sync.tasks.reconcile") == 2
    Route.objects.update(next_reconcile_at=None, reconcile_minutes=0)
    reconciliation.start_due()
    assert [row.func() for row in OrmQ.objects.all()].count("sync.tasks.reconcile") == 2
