"""Leases: one holder at a time, whoever the row belongs to (a portal's slot, the outbox)."""

from __future__ import annotations

import pytest

from sync.models import OutboxLease, Portal, Slot
from sync.models.lease import Lease

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[Slot, OutboxLease])
def row(request) -> Lease:
    if request.param is Slot:
        return Slot.objects.create(portal=Portal.objects.create(slug="a", slots=1), number=1)
    return OutboxLease.objects.create(pk=OutboxLease.ROW)


def stored(row: Lease) -> Lease:
    return type(row)._default_manager.get(pk=row.pk)


def test_a_free_row_is_taken_once(row):
    assert row.hold("one", now=10, until=20)
    assert not stored(row).hold("two", now=20, until=30)
    assert (stored(row).holder, stored(row).lease_until) == ("one", 20)


def test_a_lease_that_ran_out_is_free(row):
    row.hold("one", now=10, until=20)
    assert stored(row).hold("two", now=20.1, until=30)
    assert (stored(row).holder, stored(row).lease_until) == ("two", 30)


def test_a_holder_prolongs_its_lease(row):
    row.hold("one", now=10, until=20)
    assert row.keep(until=40)
    assert stored(row).lease_until >= 40
    assert not stored(row).hold("two", now=30, until=50)


def test_who_was_overtaken_neither_prolongs_nor_releases(row):
    row.hold("one", now=10, until=20)
    stored(row).hold("two", now=21, until=30)
    assert not row.keep(until=50)
    row.release()
    assert (stored(row).holder, stored(row).lease_until) == ("two", 30)


def test_what_was_released_is_free_at_once(row):
    row.hold("one", now=10, until=20)
    row.release()
    assert stored(row).hold("two", now=11, until=20)


def test_a_slot_whose_lease_lasts_long_enough_is_not_written(django_assert_num_queries):
    slot = Slot.take(Portal.objects.create(slug="a", slots=1), "one", now=10)
    assert slot
    with django_assert_num_queries(0):
        assert slot.keep(until=slot.lease_until)


def test_the_sender_of_the_outbox_may_shorten_its_lease():
    lease = OutboxLease.take("one", now=10, until=70)
    assert lease
    assert lease.keep(until=12)
    assert OutboxLease.take("two", now=13, until=70)
