"""What a parcel holds for its jobs: their data, the settings of their routes, the intents of their links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from sync.flows.contract import Parcel
from sync.flows.deals import FLOW
from sync.flows.deals.data import DealData
from sync.flows.deals.options import DealOptions
from sync.models import Event, FieldMapping, Job, JobData, Link, Portal, Route

pytestmark = pytest.mark.django_db
CountQueries = Callable[[int], Any]


@pytest.fixture
def route() -> Route:
    portals = [Portal.objects.create(slug=slug, name=slug) for slug in ("alpha", "beta")]
    route = Route.objects.create(slug="alpha-beta", source=portals[0], target=portals[1])
    FieldMapping.objects.create(route=route, to="TITLE", source="TITLE")
    FieldMapping.objects.create(route=route, to="COMMENTS", source="COMMENTS", direction="back")
    return route


@pytest.fixture
def job(route: Route) -> Job:
    return Job.objects.create(
        route=route, portal=route.source, kind="deal", source_id="1", lane="lane", step="fetch"
    )


def parcel_of(job: Job) -> Parcel:
    parcel = Parcel(jobs=[job], now=timezone.now())
    parcel.load()
    return parcel


def test_settings_are_read_once_a_parcel(job: Job, django_assert_num_queries: CountQueries) -> None:
    parcel = parcel_of(job)
    with django_assert_num_queries(4):  # rules and their value lists, in each direction
        for _ in range(3):
            assert [rule.to for rule in parcel.settings(job).rules("forward")] == ["TITLE"]
            assert [rule.to for rule in parcel.settings(job).rules("back")] == ["COMMENTS"]
    options = parcel.settings(job).options(DealOptions.of)
    assert parcel.settings(job).options(DealOptions.of) is options


def test_the_next_parcel_knows_what_staff_have_changed(job: Job) -> None:
    parcel = parcel_of(job)
    assert parcel.settings(job).rules("forward")
    FieldMapping.objects.filter(direction="forward").update(to="NAME")
    assert [rule.to for rule in parcel.settings(job).rules("forward")] == ["TITLE"]
    assert [rule.to for rule in parcel_of(job).settings(job).rules("forward")] == ["NAME"]


def test_all_who_ask_for_the_data_of_a_job_share_them(
    job: Job, django_assert_num_queries: CountQueries
) -> None:
    JobData.store({job.pk: {"title": "Заказ"}})
    parcel = parcel_of(job)
    with django_assert_num_queries(1):
        deal = parcel.unpack(job, DealData)
        assert deal.title == "Заказ"
        assert parcel.unpack(job, DealData) is deal


def test_what_is_packed_is_stored_as_it_was_then(job: Job, django_assert_num_queries: CountQueries) -> None:
    parcel = parcel_of(job)
    deal = DealData(title="Заказ")
    with django_assert_num_queries(0):  # what was stored before is of no interest
        parcel.pack(job, deal)
        deal.is_written = True
        assert parcel.unpack(job, DealData) is deal
    assert parcel.new_data == {job.pk: {"title": "Заказ"}}
    assert parcel.data == parcel.new_data


def test_a_transaction_that_is_tried_again_begins_with_what_is_stored(job: Job) -> None:
    JobData.store({job.pk: {"title": "Заказ"}})
    parcel = parcel_of(job)
    parcel.pack(job, DealData(title="of the try that was rolled back"))
    parcel.load()
    assert parcel.new_data == {}
    assert parcel.unpack(job, DealData).title == "Заказ"


def test_an_intent_leaves_a_link_that_is_there_alone(
    route: Route, django_assert_num_queries: CountQueries
) -> None:
    Link.objects.create(route=route, source_id="1", target_id="11", state="linked")
    now = timezone.now()
    intents = [Link(route_id=route.pk, source_id=one, maker_job_id=5) for one in ("1", "2")]
    with django_assert_num_queries(1):
        Link.intend(intents, now=now)
    with django_assert_num_queries(0):
        Link.intend([], now=now)
    first, second = Link.objects.order_by("source_id")
    assert (first.state, first.target_id, first.maker_job_id) == ("linked", "11", None)
    assert (second.state, second.target_id, second.maker_job_id) == ("creating", None, 5)
    assert (second.created_at, second.updated_at, second.party_ids) == (now, now, {})


def test_a_report_of_a_deal_whose_source_is_not_known_has_only_its_target(route: Route, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(step="find")  # a create whose answer was lost
    event = Event(portal=route.target, entity="deal", action="update", record_id="77", own_id="77")
    [spec] = FLOW.sort(route, "target", [event])
    assert (spec.kind, spec.source_id, spec.target_id) == ("feedback", "", "77")


def test_jobs_that_the_first_version_stored_share_their_lanes_with_new_ones() -> None:
    assert Job.lane_of(3, "deal", "5") == "3:deal:5"
    assert Job.lane_of(3, "feedback", "", target_id="77") == "3:feedback:?77"
    assert Job.lane_of(3, "feedback", "5", target_id="77") == "3:feedback:5"
