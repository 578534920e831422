"""What the roles make of their messages: events and notes, committed before the queue may forget."""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import DataError, OperationalError, transaction

from sync.connectors.rabbitmq import leads, wire
from sync.connectors.rabbitmq.connection import connect
from sync.connectors.rabbitmq.delivery import Delivery
from sync.connectors.rabbitmq.wire import encode
from sync.errors import NeedsStaff
from sync.messaging import roles, users
from sync.messaging.roles import ROLES, take
from sync.models import CoreUser, Event, Message, Pace, Portal, Route
from tests.rabbitmq import Exchange

USER = {"id": 7, "full_name": "Анна 🙂", "phone": "+79161234567", "stage": "NEW"}


def request(action: leads.Action = "create", *, message_id: str = "", **user: Any) -> Delivery:
    body = encode(*leads.request(action, USER | user, "answers"))
    return Delivery("requests", body, message_id)


def reply(user: CoreUser, **data: Any) -> Delivery:
    message = {"full_name": user.full_name, "phone": user.phone, "stage": user.stage}
    usual = {"status": "success", "action": "create_card", "user_id": user.pk, "bitrix_lead_id": 55}
    usual["user"] = message
    return Delivery("replies", encode("bitrix.responses", usual | data))


def events() -> list[Event]:
    return list(Event.objects.order_by("id"))


@pytest.mark.django_db
def test_requests_become_events_in_their_order(leads_route: Route) -> None:
    deliveries = [request("create"), request("update", stage="WON"), request("move", id=8)]
    assert take(ROLES["bitrix"], deliveries) == ["", "", ""]
    stored = [(event.portal_id, event.entity, event.action, event.record_id) for event in events()]
    core = leads_route.source_id
    assert stored == [
        (core, "user", "create", "7"),
        (core, "user", "update", "7"),
        (core, "user", "move", "8"),
    ]
    assert events()[1].params == {
        "action": "update_card",
        "user": USER | {"stage": "WON"},
        "reply_queue": "answers",
    }


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_woken_after_the_commit(leads_route: Route) -> None:
    """Before it, the queued wake-up would count as enough, and might be answered too early."""
    Pace.of(leads_route.source)
    with transaction.atomic():
        take(ROLES["bitrix"], [request()])
        assert Pace.of(leads_route.source).wake_at is None
    assert Pace.of(leads_route.source).wake_at is not None


@pytest.mark.django_db
def test_without_a_reply_queue_the_answer_goes_to_the_usual_one(leads_route: Route, settings: Any) -> None:
    settings.RABBITMQ_REPLY_QUEUE = "the.usual"
    body = encode("user_created", {"action": "create_card", "user": USER})
    assert take(ROLES["bitrix"], [Delivery("requests", body)]) == [""]
    assert events()[0].params["reply_queue"] == "the.usual"


@pytest.mark.django_db
def test_the_same_message_again_is_no_second_event(leads_route: Route) -> None:
    one = request(message_id=str(uuid.uuid4()))
    assert take(ROLES["bitrix"], [one, one]) == ["", ""]
    assert take(ROLES["bitrix"], [one]) == [""]
    assert len(events()) == 1


@pytest.mark.django_db
def test_an_equal_message_without_an_id_is_done_again(leads_route: Route) -> None:
    """A user may be A, then B, then A: the second A is no repetition."""
    assert take(ROLES["bitrix"], [request(), request(), request(message_id="1"), request(message_id="2")])
    assert len(events()) == 4


@pytest.mark.django_db
def test_an_id_that_is_no_text_is_an_id_all_the_same(over_rabbitmq: Exchange, leads_route: Route) -> None:
    body = encode("user_created", {"user": USER})
    for _ in range(2):
        over_rabbitmq.nest.write(over_rabbitmq.requests, body, message_id=b"\xff\xfe")
    with connect(over_rabbitmq.url, name="test") as link:
        link.read(over_rabbitmq.requests, partial(take, ROLES["bitrix"]))
        while over_rabbitmq.nest.count(over_rabbitmq.requests):
            link.turn(0.2)
        link.turn(0.2)
        assert link.state_of(f"{over_rabbitmq.requests}.dead") is None
    assert len(events()) == 1


@pytest.mark.django_db
def test_malformed_ones_are_named_and_hold_nobody_up(leads_route: Route) -> None:
    bad = Delivery("requests", b"{}")
    reasons = take(ROLES["bitrix"], [request(), bad, request("move")])
    assert [bool(reason) for reason in reasons] == [False, True, False]
    assert "pattern" in reasons[1]
    assert len(events()) == 2


@pytest.mark.django_db
def test_without_a_route_nothing_is_taken() -> None:
    Portal.objects.create(slug="core", kind="core")
    assert "Leads" in ROLES["bitrix"].obstacle()
    with pytest.raises(NeedsStaff, match="Leads"):
        take(ROLES["bitrix"], [request()])
    assert events() == []


@pytest.mark.django_db
def test_what_the_database_leaves_out_is_named(leads_route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    """MySQL leaves out what it cannot store where it is asked to leave out what it has."""
    monkeypatch.setattr(wire, "MAX_DEPTH", 100)
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    reasons = take(ROLES["bitrix"], [request(), request(nested=deep), request("move")])
    stored = len(events())
    assert [bool(reason) for reason in reasons].count(False) == stored
    assert stored in (2, 3)


@pytest.mark.django_db
def test_a_batch_that_cannot_be_stored_is_stored_one_by_one(
    leads_route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = roles.inbox.receive_many

    def choke(portal: Portal, arrivals: dict[str, Any]) -> None:
        if any(notice.record_id == "13" for notice in arrivals.values()):
            raise DataError("too long")
        store(portal, arrivals)

    monkeypatch.setattr(roles.inbox, "receive_many", choke)
    reasons = take(ROLES["bitrix"], [request(id=1), request(id=13), request(id=2)])
    assert reasons == ["", "DataError: too long", ""]
    assert [event.record_id for event in events()] == ["1", "2"]


@pytest.mark.django_db
def test_a_database_that_is_away_is_nobodys_fault(
    leads_route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("gone away")

    monkeypatch.setattr(roles.inbox, "receive_many", away)
    with pytest.raises(OperationalError):
        take(ROLES["bitrix"], [request(), request()])


@pytest.mark.django_db
def test_replies_are_noted_on_their_users() -> None:
    anna, boris = (users.create({"full_name": name, "phone": "+79161234567"}) for name in ("Anna", "Boris"))
    deliveries = [reply(anna), reply(boris, status="error", reason="Missing phone number", attempts=1)]
    assert take(ROLES["core"], deliveries) == ["", ""]
    anna.refresh_from_db()
    boris.refresh_from_db()
    assert (anna.lead_state, anna.bitrix_lead_id) == ("linked", 55)
    assert (boris.lead_state, boris.lead_reason) == ("failed", "Missing phone number")


@pytest.mark.django_db
def test_only_the_original_is_told_again_what_came_before_the_lead() -> None:
    anna, boris = (users.create({"full_name": name, "phone": "+79161234567"}) for name in ("Anna", "Boris"))
    early = [reply(anna), replace(reply(boris), message_id="ours")]
    for user in (anna, boris):
        users.move(user.pk, "DONE")
    Message.objects.all().delete()
    assert take(ROLES["core"], early) == ["", ""]
    [message] = Message.objects.all()
    assert (message.pattern, message.data["user"]["id"]) == ("user_updated", anna.pk)


@pytest.mark.django_db
def test_a_reply_about_nobody_is_named_and_holds_nobody_up() -> None:
    anna = users.create({"full_name": "Anna", "phone": "+79161234567"})
    for stranger in (anna.pk + 1, "a-uuid", 10**30):
        reasons = take(ROLES["core"], [reply(anna, user_id=stranger), reply(anna)])
        assert [bool(reason) for reason in reasons] == [True, False]
    anna.refresh_from_db()
    assert anna.bitrix_lead_id == 55


def test_each_queue_has_its_role(settings: Any) -> None:
    settings.RABBITMQ_QUEUE, settings.RABBITMQ_REPLY_QUEUE = "a", "b"
    names = [role.name if (role := roles.role_of(queue)) else None for queue in ("a", "b", "c")]
    assert names == ["bitrix", "core", None]
