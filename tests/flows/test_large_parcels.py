"""Much work at once is settled in parts, so that other writers do not wait long; nothing is left over."""

import pytest
from django.db import transaction

from sync import engine, inbox
from sync.engine import settlement
from sync.models import Attempt, Event, Job, Slot

pytestmark = pytest.mark.django_db(transaction=True)

DEALS = 120  # more than are sorted or settled at once


@pytest.fixture
def transactions(monkeypatch):
    """How many jobs each settling transaction wrote."""
    sizes = []
    save = settlement._save_states

    def recording_save(claimed, decisions):
        sizes.append(len(decisions))
        save(claimed, decisions)

    monkeypatch.setattr(settlement, "_save_states", recording_save)
    return sizes


def test_a_large_read_is_settled_in_parts(pair, transactions):
    for deal_id in pair.seed(DEALS):
        pair.webhook(deal_id)
    pair.run(seconds=60)
    assert Job.objects.filter(state="done").count() == DEALS == len(pair.deals())
    assert max(transactions) <= 50  # what a request can write at most
    reads = Attempt.objects.filter(step="fetch")
    assert set(reads.values_list("parcel_size", flat=True)) == {DEALS}
    assert reads.count() == DEALS


def test_jobs_taken_over_meanwhile_are_left_alone_in_every_part(pair, monkeypatch):
    for deal_id in pair.seed(DEALS):
        pair.webhook(deal_id)
    settle = settlement._settle_part

    def taken_over(claimed, before, **given):
        last = max(job.pk for job in claimed.parcel.jobs)
        Job.objects.filter(pk=last).update(holder="another")
        return settle(claimed, before, **given)

    monkeypatch.setattr(settlement, "_settle_part", taken_over)
    engine.drain(pair.from_portal.pk)
    taken = Job.objects.filter(holder="another", step="fetch", state="running")
    assert taken.count() == -(-DEALS // settlement.JOBS_AT_ONCE)
    assert not Attempt.objects.filter(job__in=taken).exists()


def test_all_that_waits_is_sorted(pair):
    for deal_id in range(1, inbox.EVENTS_AT_ONCE + 2):
        pair.webhook(str(deal_id))
    assert inbox.sort(pair.from_portal) == inbox.EVENTS_AT_ONCE
    assert inbox.sort(pair.from_portal) == 1
    assert not Event.objects.filter(outcome="waiting").exists()


def test_the_lock_of_sorting_is_no_slot(pair):
    with transaction.atomic():
        Slot.lock_sorting(pair.from_portal.pk)
    taken = [Slot.take(pair.from_portal, holder, now=1.0) for holder in ("a", "b", "c")]
    assert [slot.number if slot else None for slot in taken] == [1, 2, None]
