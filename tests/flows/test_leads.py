"""Leads: what each request makes of the portal, and what is answered."""

from __future__ import annotations

import pytest
from django.db import connection

from sync import inbox
from sync.connectors.rabbitmq import leads
from sync.connectors.types import Notice
from sync.errors import Refused
from sync.models import Attempt, CoreUser, Event, FieldMapping, Job, Link, Message, Portal, ValueMapping
from tests.flows.conftest import Desk, user


def test_a_new_user_becomes_a_lead_and_the_core_hears_of_it(desk: Desk):
    desk.send("create", user(7, stage="IN_PROCESS"), reply_queue="replies.of.theirs")
    desk.run()
    [lead] = desk.leads()
    assert (lead["NAME"], lead["STATUS_ID"], lead["ORIGIN_ID"]) == ("User 7", "IN_PROCESS", "7")
    assert [(row["VALUE"], row["VALUE_TYPE"]) for row in lead["PHONE"]] == [("+79000000007", "WORK")]
    assert lead["ORIGINATOR_ID"] == "b24-interconnector/users-leads"
    message = Message.objects.get()
    assert (message.queue, message.pattern) == ("replies.of.theirs", "bitrix.responses")
    assert message.data == {
        "status": "success",
        "action": "create_card",
        "user_id": 7,
        "user": user(7, stage="IN_PROCESS"),
        "bitrix_lead_id": int(lead["ID"]),
        "attempts": 1,
    }
    assert Link.objects.get().target_id == lead["ID"]


def test_a_request_that_names_no_queue_is_answered_on_the_usual_one(desk: Desk, settings):
    settings.RABBITMQ_REPLY_QUEUE = "usual"
    desk.send("create", user(), reply_queue="")
    desk.run()
    assert Message.objects.get().queue == "usual"


def test_an_update_writes_the_whole_user_and_a_move_the_stage_alone(desk: Desk):
    desk.send("create", user())
    desk.run()
    desk.send("update", user(full_name="New name", phone="+79990000000", stage="IN_PROCESS"))
    desk.run()
    [lead] = desk.leads()
    assert (lead["NAME"], lead["STATUS_ID"]) == ("New name", "IN_PROCESS")
    assert desk.phones() == ["+79990000000"]
    desk.send("move", user(full_name="not written", phone="", stage="PROCESSED"))
    desk.run()
    [lead] = desk.leads()
    assert (lead["NAME"], lead["STATUS_ID"]) == ("New name", "PROCESSED")
    assert desk.phones() == ["+79990000000"]
    told = [(reply["action"], reply["bitrix_lead_id"]) for reply in desk.replies("success")]
    assert told == [(word, int(lead["ID"])) for word in ("create_card", "update_card", "move_card")]


@pytest.mark.parametrize("phone", [None, "", "  "])
@pytest.mark.parametrize("action", ["create", "update"])
def test_a_user_without_a_phone_is_answered_at_once_even_when_the_portal_is_away(desk: Desk, action, phone):
    desk.portal.post("faults", {"away": True})
    desk.send(action, user(phone=phone))
    desk.drain()
    [reply] = desk.replies()
    assert reply == {
        "status": "error",
        "reason": "Missing phone number",
        "user": user(phone=phone),
        "user_id": 1,
        "attempts": 0,
        "final_attempt": True,
    }
    assert not Job.objects.exists()
    assert Event.objects.get().outcome == "ignored"


def test_a_replayed_create_writes_nothing_and_is_answered_again(desk: Desk):
    desk.send("create", user())
    desk.run()
    desk.send("update", user(full_name="Newer"))
    desk.run()
    desk.send("create", user(full_name="Older"))
    desk.run()
    [lead] = desk.leads()
    assert lead["NAME"] == "Newer"
    assert [reply["bitrix_lead_id"] for reply in desk.replies("success")] == [int(lead["ID"])] * 3
    assert desk.asked("crm.lead.add") == 1


@pytest.mark.parametrize("action", ["update", "move"])
def test_a_change_that_comes_before_its_user_has_a_lead_waits_behind_the_create(desk: Desk, action):
    desk.send("create", user())
    desk.send(action, user(stage="IN_PROCESS"))
    desk.run()
    [lead] = desk.leads()
    assert lead["STATUS_ID"] == "IN_PROCESS"
    assert [reply["status"] for reply in desk.replies()] == ["success", "success"]
    assert desk.asked("crm.lead.add") == 1


@pytest.mark.parametrize("action", ["update", "move"])
def test_a_change_of_a_user_nobody_has_told_of_makes_the_lead(desk: Desk, action):
    desk.send(action, user(stage="IN_PROCESS"))
    desk.run()
    [lead] = desk.leads()
    assert (lead["NAME"], lead["STATUS_ID"], lead["ORIGIN_ID"]) == ("User 1", "IN_PROCESS", "1")
    assert desk.replies()[0]["bitrix_lead_id"] == int(lead["ID"])


def test_a_move_without_a_phone_cannot_make_a_lead(desk: Desk):
    desk.send("move", user(phone=None))
    desk.run()
    assert desk.leads() == []
    assert [reply["reason"] for reply in desk.replies()] == [leads.MISSING_PHONE]


@pytest.mark.parametrize("action", ["update", "move"])
def test_the_lead_that_a_request_names_is_adopted(desk: Desk, action):
    """The core may know a lead that we do not: it was made by the original."""
    fields = {"NAME": "made before", "PHONE": [{"VALUE": "+79000000001"}]}
    lead_id = desk.portal.call("crm.lead.add", {"fields": fields})
    desk.send(action, user(stage="IN_PROCESS", bitrix_lead_id=lead_id))
    desk.run()
    [lead] = desk.leads()
    assert (lead["STATUS_ID"], lead["NAME"]) == (
        "IN_PROCESS",
        {"update": "User 1", "move": "made before"}[action],
    )
    assert Link.objects.get().target_id == str(lead_id)
    assert desk.replies()[0]["bitrix_lead_id"] == lead_id
    assert desk.phones() == ["+79000000001"]


def test_a_create_of_a_user_whose_lead_is_named_makes_no_other(desk: Desk):
    lead_id = desk.portal.call("crm.lead.add", {"fields": {"NAME": "made before"}})
    desk.send("create", user(bitrix_lead_id=lead_id))
    desk.run()
    assert [lead["NAME"] for lead in desk.leads()] == ["made before"]
    assert desk.replies()[0]["bitrix_lead_id"] == lead_id


def test_a_lead_with_our_stamp_is_adopted_when_our_links_are_gone(desk: Desk):
    desk.send("create", user())
    desk.run()
    Link.objects.all().delete()
    desk.send("update", user(full_name="Again"))
    desk.run()
    assert [lead["NAME"] for lead in desk.leads()] == ["Again"]


@pytest.mark.parametrize("told", ["no number", "-5", 0, "²", "9" * 19, ["7"]])
def test_what_is_no_lead_is_not_taken_for_one(desk: Desk, told):
    desk.send("update", user(bitrix_lead_id=told))
    desk.run()
    assert [lead["ORIGIN_ID"] for lead in desk.leads()] == ["1"]
    assert desk.replies("success")


def test_two_users_never_share_a_lead(desk: Desk):
    lead_id = desk.portal.call("crm.lead.add", {"fields": {"NAME": "one"}})
    desk.send("update", *(user(number, bitrix_lead_id=lead_id) for number in (1, 2)))
    desk.run()
    assert [reply["user_id"] for reply in desk.replies("success")] == [1]
    [error] = desk.replies("error")
    assert error["user_id"] == 2
    assert Job.objects.get(source_id="2").failure == "config"
    desk.send("move", user(3, bitrix_lead_id=lead_id))
    desk.run()
    assert desk.replies("error")[-1]["user_id"] == 3


@pytest.mark.parametrize(
    ("there", "wanted", "after"),
    [
        (["+79000000001"], "8 (900) 000-00-02", ["8 (900) 000-00-02"]),
        (["+7 (900) 000-00-01"], "+79000000001", ["+7 (900) 000-00-01"]),
        (["+79111111111", "+79000000001"], "+79000000001", ["+79111111111", "+79000000001"]),
        (["+79111111111", "+79222222222"], "+79000000001", ["+79000000001", "+79222222222"]),
        ([], "+79000000001", ["+79000000001"]),
        (["+79000000001"], [" +79000000002 "], ["+79000000002"]),
        (["+79000000001"], 79000000002, ["79000000002"]),
    ],
)
def test_a_phone_is_changed_in_place_and_never_doubled(desk: Desk, there, wanted, after):
    rows = [{"VALUE": value, "VALUE_TYPE": "WORK"} for value in there]
    lead_id = desk.portal.call("crm.lead.add", {"fields": {"NAME": "x", "PHONE": rows}})
    for _ in range(2):
        desk.send("update", user(phone=wanted, bitrix_lead_id=lead_id))
        desk.run()
    assert desk.phones() == after


def test_the_work_number_is_the_one_that_is_changed(desk: Desk):
    rows = [{"VALUE": "+79111111111", "VALUE_TYPE": "HOME"}, {"VALUE": "+79222222222", "VALUE_TYPE": "WORK"}]
    lead_id = desk.portal.call("crm.lead.add", {"fields": {"NAME": "x", "PHONE": rows}})
    desk.send("update", user(bitrix_lead_id=lead_id))
    desk.run()
    [lead] = desk.leads()
    assert [(row["VALUE"], row["VALUE_TYPE"]) for row in lead["PHONE"]] == [
        ("+79111111111", "HOME"),
        ("+79000000001", "WORK"),
    ]


@pytest.mark.parametrize("action", ["update", "move"])
def test_a_lead_that_was_deleted_is_a_clear_refusal(desk: Desk, action):
    desk.send("create", user())
    desk.run()
    desk.portal.call("crm.lead.delete", {"id": desk.leads()[0]["ID"]})
    desk.send(action, user(stage="IN_PROCESS"))
    desk.run()
    [error] = desk.replies("error")
    assert Job.objects.latest("pk").failure == "refused"
    assert "deleted" in error["reason"] or "удал" in error["reason"]
    assert desk.leads() == []


def test_a_route_may_write_other_fields_and_other_stages(desk: Desk):
    FieldMapping.objects.create(route=desk.route, to="TITLE", origin="template", source="{full_name} №{id}")
    stage = FieldMapping.objects.create(
        route=desk.route, to="STATUS_ID", origin="param", source="stage", otherwise="skip"
    )
    ValueMapping.objects.create(mapping=stage, value="lead-new", becomes="PROCESSED")
    desk.send("create", user(1, stage="lead-new"), user(2, stage="nobody knows"))
    desk.run()
    told = {lead["ORIGIN_ID"]: (lead["TITLE"], lead["STATUS_ID"], lead["NAME"]) for lead in desk.leads()}
    assert told == {"1": ("User 1 №1", "PROCESSED", "User 1"), "2": ("User 2 №2", "NEW", "User 2")}


def test_a_move_minds_only_the_mapping_of_the_stage(desk: Desk):
    desk.send("create", user(segment="known"))
    desk.run()
    other = FieldMapping.objects.create(route=desk.route, to="COMMENTS", origin="param", source="segment")
    ValueMapping.objects.create(mapping=other, value="known", becomes="K")
    desk.send("move", user(segment="unknown", stage="JUNK"))
    desk.run()
    assert [lead["STATUS_ID"] for lead in desk.leads()] == ["JUNK"]


def test_a_value_nobody_has_mapped_is_a_config_failure(desk: Desk):
    stage = FieldMapping.objects.create(route=desk.route, to="STATUS_ID", origin="param", source="stage")
    ValueMapping.objects.create(mapping=stage, value="known", becomes="NEW")
    desk.send("create", user(stage="unknown"))
    desk.run()
    assert Job.objects.get().failure == "config"
    assert (
        '"unknown"' in desk.replies("error")[0]["reason"] or "unknown" in desk.replies("error")[0]["reason"]
    )
    ValueMapping.objects.create(mapping=stage, value="unknown", becomes="JUNK")
    Job.objects.requeue(now=Job.objects.get().created_at)
    desk.run()
    assert [lead["STATUS_ID"] for lead in desk.leads()] == ["JUNK"]
    assert [reply["status"] for reply in desk.replies()] == ["error", "success"]


@pytest.mark.parametrize("action", ["create", "update", "move"])
def test_a_stage_that_the_portal_does_not_have_is_told_instead_of_left_out(desk: Desk, action):
    if action != "create":
        desk.send("create", user())
        desk.run()
    desk.send(action, user(stage="NO_SUCH"))
    desk.run()
    [error] = desk.replies("error")
    assert "NO_SUCH" in error["reason"]
    assert "IN_PROCESS" in error["reason"], "it names those that there are"
    assert Job.objects.latest("pk").failure == "config"
    assert len(desk.leads()) == (action != "create")


def test_a_stage_made_meanwhile_is_found_although_another_list_is_remembered(desk: Desk):
    desk.send("create", user(1))
    desk.run()
    add_stage(desk, "UC_FRESH")
    desk.send("create", user(2, stage="UC_FRESH"))
    desk.run()
    assert [lead["STATUS_ID"] for lead in desk.leads()] == ["NEW", "UC_FRESH"]


def test_a_stage_made_after_the_failure_is_found_by_retry(desk: Desk):
    desk.send("create", user(stage="UC_FRESH"))
    desk.run()
    add_stage(desk, "UC_FRESH")
    Job.objects.requeue(now=Job.objects.get().created_at)
    desk.run()
    assert [lead["STATUS_ID"] for lead in desk.leads()] == ["UC_FRESH"]


def add_stage(desk: Desk, code: str) -> None:
    portal = desk.portal.emulator.portal
    row = next(dict(one) for one in portal.directory.statuses if one["ENTITY_ID"] == "STATUS")
    portal.directory.add_status(row | {"STATUS_ID": code, "NAME": code, "SORT": 500})


def test_a_portal_without_leads_is_a_config_failure_and_no_deal_appears(desk: Desk):
    desk.portal.emulator.portal.settings.crm_mode = 2
    desk.send("create", user(1), user(2))
    desk.run()
    assert [job.failure for job in Job.objects.all()] == ["config", "config"]
    assert desk.portal.get("deals")["deals"] == []
    assert "crm" in desk.replies("error")[0]["reason"]
    desk.portal.emulator.portal.settings.crm_mode = 1
    Job.objects.requeue(now=Job.objects.first().created_at)
    desk.run()
    assert len(desk.leads()) == 2
    assert [reply["status"] for reply in desk.replies()] == ["error", "error", "success", "success"]


def test_the_portal_is_asked_once_for_many_and_not_again(desk: Desk):
    desk.send("create", *(user(number) for number in range(1, 121)))
    desk.run()
    assert (desk.asked("crm.settings.mode.get"), desk.asked("crm.status.list")) == (1, 1)
    assert Attempt.objects.filter(step="crm_mode").count() == 50, "the first parcel looks, the others go on"
    desk.send("move", *(user(number, stage="JUNK") for number in range(1, 121)))
    desk.run()
    assert desk.asked("crm.settings.mode.get") == 1
    assert {lead["STATUS_ID"] for lead in desk.leads()} == {"JUNK"}


def test_while_a_slow_portal_is_asked_the_others_wait_for_its_answer(desk: Desk):
    desk.portal.post("limits", {"latency": 0.5})
    Portal.objects.update(request_seconds=60)
    desk.send("create", *(user(number) for number in range(1, 121)))
    desk.run()
    assert desk.asked("crm.settings.mode.get") == 1
    assert len(desk.leads()) == 120


def test_without_a_cache_each_job_looks_once_and_none_for_ever(desk: Desk, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    desk.send("create", *(user(number) for number in range(1, 121)))
    desk.run()
    assert len(desk.leads()) == 120
    assert desk.asked("crm.settings.mode.get") <= 3


def test_a_cache_that_is_away_is_only_asked_in_vain(desk: Desk, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    desk.send("create", user())
    desk.run()
    assert len(desk.leads()) == 1


def test_requests_of_one_user_keep_their_order_and_have_a_reply_each(desk: Desk):
    for number in range(1, 4):
        desk.send("create", user(number))
        for stage in ("IN_PROCESS", "PROCESSED", "JUNK", "IN_PROCESS"):
            desk.send("move", user(number, stage=stage))
        desk.send("update", user(number, full_name=f"Last {number}", stage="PROCESSED"))
    desk.run(seconds=60)
    assert {(lead["NAME"], lead["STATUS_ID"]) for lead in desk.leads()} == {
        (f"Last {number}", "PROCESSED") for number in range(1, 4)
    }
    for number in range(1, 4):
        stages = [reply["user"]["stage"] for reply in desk.replies("success") if reply["user_id"] == number]
        assert stages == ["NEW", "IN_PROCESS", "PROCESSED", "JUNK", "IN_PROCESS", "PROCESSED"]


def test_ids_of_another_core_may_be_text_and_come_back_as_they_were(desk: Desk):
    name = "5f0c2b9e-8f51-4f7a-9b0a-3f0d8b6f7c11"
    desk.send("create", user() | {"id": name})
    desk.run()
    assert desk.replies()[0]["user_id"] == name
    assert desk.leads()[0]["ORIGIN_ID"] == name


def test_a_user_of_our_own_core_can_be_sent_again(desk: Desk):
    row = CoreUser.objects.create(full_name="Анна", phone="+79000000009", stage="IN_PROCESS")
    assert inbox.queue(desk.route, [str(row.pk)]) == 1
    desk.run()
    [lead] = desk.leads()
    assert (lead["NAME"], lead["STATUS_ID"], lead["ORIGIN_ID"]) == ("Анна", "IN_PROCESS", str(row.pk))
    assert desk.replies()[0]["user_id"] == row.pk
    for unknown in (str(row.pk + 1), "abc", "²"):
        with pytest.raises(Refused):
            inbox.queue(desk.route, [unknown])


@pytest.mark.parametrize("entity", ["lead", "user"])
def test_what_happens_in_the_portal_asks_nothing(desk: Desk, entity):
    """Nor do changes of its own employees, who are users too."""
    notice = Notice(entity, "update", "5", own_id="5", params={"user": user(5)}, sent_at="1")
    inbox.receive(desk.route.target, notice, details={})
    desk.drain()
    assert not Job.objects.exists()
    event = Event.objects.get()
    assert (event.outcome, bool(event.note)) == ("ignored", True)


def test_the_cache_is_asked_outside_of_transactions(desk: Desk, monkeypatch):
    """One that hangs must not keep the database's writers waiting."""
    asked = []

    class Watching:
        def get(self, key: str) -> None:
            asked.append(connection.in_atomic_block)

        def set(self, key: str, *_: object) -> None:
            asked.append(connection.in_atomic_block)

    monkeypatch.setattr("sync.flows.leads.crm_mode.cache", Watching())
    desk.send("create", user())
    desk.run()
    assert len(asked) >= 2
    assert not any(asked)
