"""Leads: what each request changes in the portal, and the reply to it."""

from __future__ import annotations

import pytest
from django.db import connection

from sync import inbox
from sync.connectors.rabbitmq import leads
from sync.connectors.types import IncomingEvent
from sync.errors import Refused
from sync.models import Attempt, CoreUser, Event, FieldMapping, Job, Link, Message, Portal, ValueMapping
from tests.flows.conftest import LeadsRig, user


def test_a_new_user_becomes_a_lead_and_the_core_gets_a_reply(rig: LeadsRig):
    rig.send("create", user(7, stage="IN_PROCESS"), reply_queue="replies.of.theirs")
    rig.run()
    [lead] = rig.leads()
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


def test_a_request_that_names_no_queue_is_answered_on_the_usual_one(rig: LeadsRig, settings):
    settings.RABBITMQ_REPLY_QUEUE = "usual"
    rig.send("create", user(), reply_queue="")
    rig.run()
    assert Message.objects.get().queue == "usual"


def test_an_update_writes_the_whole_user_and_a_move_the_stage_alone(rig: LeadsRig):
    rig.send("create", user())
    rig.run()
    rig.send("update", user(full_name="New name", phone="+79990000000", stage="IN_PROCESS"))
    rig.run()
    [lead] = rig.leads()
    assert (lead["NAME"], lead["STATUS_ID"]) == ("New name", "IN_PROCESS")
    assert rig.phones() == ["+79990000000"]
    rig.send("move", user(full_name="not written", phone="", stage="PROCESSED"))
    rig.run()
    [lead] = rig.leads()
    assert (lead["NAME"], lead["STATUS_ID"]) == ("New name", "PROCESSED")
    assert rig.phones() == ["+79990000000"]
    replies = [(reply["action"], reply["bitrix_lead_id"]) for reply in rig.replies("success")]
    assert replies == [(word, int(lead["ID"])) for word in ("create_card", "update_card", "move_card")]


@pytest.mark.parametrize("phone", [None, "", "  "])
@pytest.mark.parametrize("action", ["create", "update"])
def test_a_user_without_a_phone_is_answered_at_once_even_when_the_portal_is_away(
    rig: LeadsRig, action, phone
):
    rig.portal.post("faults", {"away": True})
    rig.send(action, user(phone=phone))
    rig.drain()
    [reply] = rig.replies()
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


def test_a_repeated_create_writes_nothing_and_is_answered_again(rig: LeadsRig):
    rig.send("create", user())
    rig.run()
    rig.send("update", user(full_name="Newer"))
    rig.run()
    rig.send("create", user(full_name="Older"))
    rig.run()
    [lead] = rig.leads()
    assert lead["NAME"] == "Newer"
    assert [reply["bitrix_lead_id"] for reply in rig.replies("success")] == [int(lead["ID"])] * 3
    assert rig.calls("crm.lead.add") == 1


@pytest.mark.parametrize("action", ["update", "move"])
def test_a_change_that_comes_before_its_user_has_a_lead_waits_behind_the_create(rig: LeadsRig, action):
    rig.send("create", user())
    rig.send(action, user(stage="IN_PROCESS"))
    rig.run()
    [lead] = rig.leads()
    assert lead["STATUS_ID"] == "IN_PROCESS"
    assert [reply["status"] for reply in rig.replies()] == ["success", "success"]
    assert rig.calls("crm.lead.add") == 1


@pytest.mark.parametrize("action", ["update", "move"])
def test_a_change_of_an_unknown_user_makes_the_lead(rig: LeadsRig, action):
    rig.send(action, user(stage="IN_PROCESS"))
    rig.run()
    [lead] = rig.leads()
    assert (lead["NAME"], lead["STATUS_ID"], lead["ORIGIN_ID"]) == ("User 1", "IN_PROCESS", "1")
    assert rig.replies()[0]["bitrix_lead_id"] == int(lead["ID"])


def test_a_move_without_a_phone_cannot_make_a_lead(rig: LeadsRig):
    rig.send("move", user(phone=None))
    rig.run()
    assert rig.leads() == []
    assert [reply["reason"] for reply in rig.replies()] == [leads.MISSING_PHONE]


@pytest.mark.parametrize("action", ["update", "move"])
def test_the_lead_that_a_request_names_is_adopted(rig: LeadsRig, action):
    """The core may know a lead that we do not: it was made by the original."""
    fields = {"NAME": "made before", "PHONE": [{"VALUE": "+79000000001"}]}
    lead_id = rig.portal.call("crm.lead.add", {"fields": fields})
    rig.send(action, user(stage="IN_PROCESS", bitrix_lead_id=lead_id))
    rig.run()
    [lead] = rig.leads()
    assert (lead["STATUS_ID"], lead["NAME"]) == (
        "IN_PROCESS",
        {"update": "User 1", "move": "made before"}[action],
    )
    assert Link.objects.get().target_id == str(lead_id)
    assert rig.replies()[0]["bitrix_lead_id"] == lead_id
    assert rig.phones() == ["+79000000001"]


def test_a_create_of_a_user_whose_lead_is_named_makes_no_other(rig: LeadsRig):
    lead_id = rig.portal.call("crm.lead.add", {"fields": {"NAME": "made before"}})
    rig.send("create", user(bitrix_lead_id=lead_id))
    rig.run()
    assert [lead["NAME"] for lead in rig.leads()] == ["made before"]
    assert rig.replies()[0]["bitrix_lead_id"] == lead_id


def test_a_lead_with_our_stamp_is_adopted_when_our_links_are_gone(rig: LeadsRig):
    rig.send("create", user())
    rig.run()
    Link.objects.all().delete()
    rig.send("update", user(full_name="Again"))
    rig.run()
    assert [lead["NAME"] for lead in rig.leads()] == ["Again"]


@pytest.mark.parametrize("lead_id", ["no number", "-5", 0, "²", "9" * 19, ["7"]])
def test_what_is_no_lead_is_not_taken_for_one(rig: LeadsRig, lead_id):
    rig.send("update", user(bitrix_lead_id=lead_id))
    rig.run()
    assert [lead["ORIGIN_ID"] for lead in rig.leads()] == ["1"]
    assert rig.replies("success")


def test_two_users_never_share_a_lead(rig: LeadsRig):
    lead_id = rig.portal.call("crm.lead.add", {"fields": {"NAME": "one"}})
    rig.send("update", *(user(number, bitrix_lead_id=lead_id) for number in (1, 2)))
    rig.run()
    assert [reply["user_id"] for reply in rig.replies("success")] == [1]
    [error] = rig.replies("error")
    assert error["user_id"] == 2
    assert Job.objects.get(source_id="2").failure == "config"
    rig.send("move", user(3, bitrix_lead_id=lead_id))
    rig.run()
    assert rig.replies("error")[-1]["user_id"] == 3


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
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
def test_a_phone_is_changed_in_place_and_never_doubled(rig: LeadsRig, before, wanted, after):
    rows = [{"VALUE": value, "VALUE_TYPE": "WORK"} for value in before]
    lead_id = rig.portal.call("crm.lead.add", {"fields": {"NAME": "x", "PHONE": rows}})
    for _ in range(2):
        rig.send("update", user(phone=wanted, bitrix_lead_id=lead_id))
        rig.run()
    assert rig.phones() == after


def test_the_work_number_is_the_one_that_is_changed(rig: LeadsRig):
    rows = [{"VALUE": "+79111111111", "VALUE_TYPE": "HOME"}, {"VALUE": "+79222222222", "VALUE_TYPE": "WORK"}]
    lead_id = rig.portal.call("crm.lead.add", {"fields": {"NAME": "x", "PHONE": rows}})
    rig.send("update", user(bitrix_lead_id=lead_id))
    rig.run()
    [lead] = rig.leads()
    assert [(row["VALUE"], row["VALUE_TYPE"]) for row in lead["PHONE"]] == [
        ("+79111111111", "HOME"),
        ("+79000000001", "WORK"),
    ]


@pytest.mark.parametrize("action", ["update", "move"])
def test_a_lead_that_was_deleted_is_a_clear_refusal(rig: LeadsRig, action):
    rig.send("create", user())
    rig.run()
    rig.portal.call("crm.lead.delete", {"id": rig.leads()[0]["ID"]})
    rig.send(action, user(stage="IN_PROCESS"))
    rig.run()
    [error] = rig.replies("error")
    assert Job.objects.latest("pk").failure == "refused"
    assert "deleted" in error["reason"] or "удал" in error["reason"]
    assert rig.leads() == []


def test_a_route_may_write_other_fields_and_other_stages(rig: LeadsRig):
    FieldMapping.objects.create(route=rig.route, to="TITLE", origin="template", source="{full_name} №{id}")
    stage = FieldMapping.objects.create(
        route=rig.route, to="STATUS_ID", origin="param", source="stage", otherwise="skip"
    )
    ValueMapping.objects.create(mapping=stage, value="lead-new", becomes="PROCESSED")
    rig.send("create", user(1, stage="lead-new"), user(2, stage="nobody knows"))
    rig.run()
    leads = {lead["ORIGIN_ID"]: (lead["TITLE"], lead["STATUS_ID"], lead["NAME"]) for lead in rig.leads()}
    assert leads == {"1": ("User 1 №1", "PROCESSED", "User 1"), "2": ("User 2 №2", "NEW", "User 2")}


def test_a_move_uses_only_the_mapping_of_the_stage(rig: LeadsRig):
    rig.send("create", user(segment="known"))
    rig.run()
    other = FieldMapping.objects.create(route=rig.route, to="COMMENTS", origin="param", source="segment")
    ValueMapping.objects.create(mapping=other, value="known", becomes="K")
    rig.send("move", user(segment="unknown", stage="JUNK"))
    rig.run()
    assert [lead["STATUS_ID"] for lead in rig.leads()] == ["JUNK"]


def test_a_value_nobody_has_mapped_is_a_config_failure(rig: LeadsRig):
    stage = FieldMapping.objects.create(route=rig.route, to="STATUS_ID", origin="param", source="stage")
    ValueMapping.objects.create(mapping=stage, value="known", becomes="NEW")
    rig.send("create", user(stage="unknown"))
    rig.run()
    assert Job.objects.get().failure == "config"
    assert '"unknown"' in rig.replies("error")[0]["reason"] or "unknown" in rig.replies("error")[0]["reason"]
    ValueMapping.objects.create(mapping=stage, value="unknown", becomes="JUNK")
    Job.objects.requeue(now=Job.objects.get().created_at)
    rig.run()
    assert [lead["STATUS_ID"] for lead in rig.leads()] == ["JUNK"]
    assert [reply["status"] for reply in rig.replies()] == ["error", "success"]


@pytest.mark.parametrize("action", ["create", "update", "move"])
def test_a_stage_that_the_portal_does_not_have_is_an_error_instead_of_left_out(rig: LeadsRig, action):
    if action != "create":
        rig.send("create", user())
        rig.run()
    rig.send(action, user(stage="NO_SUCH"))
    rig.run()
    [error] = rig.replies("error")
    assert "NO_SUCH" in error["reason"]
    assert "IN_PROCESS" in error["reason"], "it names those that there are"
    assert Job.objects.latest("pk").failure == "config"
    assert len(rig.leads()) == (action != "create")


def test_a_stage_made_meanwhile_is_found_although_another_list_is_remembered(rig: LeadsRig):
    rig.send("create", user(1))
    rig.run()
    add_stage(rig, "UC_FRESH")
    rig.send("create", user(2, stage="UC_FRESH"))
    rig.run()
    assert [lead["STATUS_ID"] for lead in rig.leads()] == ["NEW", "UC_FRESH"]


def test_a_stage_made_after_the_failure_is_found_by_retry(rig: LeadsRig):
    rig.send("create", user(stage="UC_FRESH"))
    rig.run()
    add_stage(rig, "UC_FRESH")
    Job.objects.requeue(now=Job.objects.get().created_at)
    rig.run()
    assert [lead["STATUS_ID"] for lead in rig.leads()] == ["UC_FRESH"]


def add_stage(rig: LeadsRig, code: str) -> None:
    """Add a stage of leads to the portal."""
    portal = rig.portal.emulator.portal
    row = next(dict(one) for one in portal.directory.statuses if one["ENTITY_ID"] == "STATUS")
    portal.directory.add_status(row | {"STATUS_ID": code, "NAME": code, "SORT": 500})


def test_a_portal_without_leads_is_a_config_failure_and_no_deal_appears(rig: LeadsRig):
    rig.portal.emulator.portal.settings.crm_mode = 2
    rig.send("create", user(1), user(2))
    rig.run()
    assert [job.failure for job in Job.objects.all()] == ["config", "config"]
    assert rig.portal.get("deals")["deals"] == []
    assert "crm" in rig.replies("error")[0]["reason"]
    rig.portal.emulator.portal.settings.crm_mode = 1
    Job.objects.requeue(now=Job.objects.first().created_at)
    rig.run()
    assert len(rig.leads()) == 2
    assert [reply["status"] for reply in rig.replies()] == ["error", "error", "success", "success"]


def test_the_portal_is_asked_once_for_many_and_not_again(rig: LeadsRig):
    rig.send("create", *(user(number) for number in range(1, 121)))
    rig.run()
    assert (rig.calls("crm.settings.mode.get"), rig.calls("crm.status.list")) == (1, 1)
    assert Attempt.objects.filter(step="crm_mode").count() == 50, "the first parcel looks, the others go on"
    rig.send("move", *(user(number, stage="JUNK") for number in range(1, 121)))
    rig.run()
    assert rig.calls("crm.settings.mode.get") == 1
    assert {lead["STATUS_ID"] for lead in rig.leads()} == {"JUNK"}


def test_while_a_slow_portal_is_asked_the_others_wait_for_its_answer(rig: LeadsRig):
    rig.portal.post("limits", {"latency": 0.5})
    Portal.objects.update(request_seconds=60)
    rig.send("create", *(user(number) for number in range(1, 121)))
    rig.run()
    assert rig.calls("crm.settings.mode.get") == 1
    assert len(rig.leads()) == 120


def test_without_a_cache_each_job_looks_once_and_none_for_ever(rig: LeadsRig, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    rig.send("create", *(user(number) for number in range(1, 121)))
    rig.run()
    assert len(rig.leads()) == 120
    assert rig.calls("crm.settings.mode.get") <= 3


def test_a_cache_that_is_away_is_only_asked_in_vain(rig: LeadsRig, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    rig.send("create", user())
    rig.run()
    assert len(rig.leads()) == 1


def test_requests_of_one_user_keep_their_order_and_have_a_reply_each(rig: LeadsRig):
    for number in range(1, 4):
        rig.send("create", user(number))
        for stage in ("IN_PROCESS", "PROCESSED", "JUNK", "IN_PROCESS"):
            rig.send("move", user(number, stage=stage))
        rig.send("update", user(number, full_name=f"Last {number}", stage="PROCESSED"))
    rig.run(seconds=60)
    assert {(lead["NAME"], lead["STATUS_ID"]) for lead in rig.leads()} == {
        (f"Last {number}", "PROCESSED") for number in range(1, 4)
    }
    for number in range(1, 4):
        stages = [reply["user"]["stage"] for reply in rig.replies("success") if reply["user_id"] == number]
        assert stages == ["NEW", "IN_PROCESS", "PROCESSED", "JUNK", "IN_PROCESS", "PROCESSED"]


def test_ids_of_another_core_may_be_text_and_come_back_as_they_were(rig: LeadsRig):
    name = "5f0c2b9e-8f51-4f7a-9b0a-3f0d8b6f7c11"
    rig.send("create", user() | {"id": name})
    rig.run()
    assert rig.replies()[0]["user_id"] == name
    assert rig.leads()[0]["ORIGIN_ID"] == name


def test_a_user_of_our_own_core_can_be_sent_again(rig: LeadsRig):
    row = CoreUser.objects.create(full_name="Анна", phone="+79000000009", stage="IN_PROCESS")
    assert inbox.queue(rig.route, [str(row.pk)]) == 1
    rig.run()
    [lead] = rig.leads()
    assert (lead["NAME"], lead["STATUS_ID"], lead["ORIGIN_ID"]) == ("Анна", "IN_PROCESS", str(row.pk))
    assert rig.replies()[0]["user_id"] == row.pk
    for unknown in (str(row.pk + 1), "abc", "²"):
        with pytest.raises(Refused):
            inbox.queue(rig.route, [unknown])


@pytest.mark.parametrize("entity", ["lead", "user"])
def test_what_happens_in_the_portal_asks_nothing(rig: LeadsRig, entity):
    """Nor do changes of its own employees, who are users too."""
    event = IncomingEvent(entity, "update", "5", own_id="5", params={"user": user(5)}, sent_at="1")
    inbox.receive(rig.route.target, event, details={})
    rig.drain()
    assert not Job.objects.exists()
    stored = Event.objects.get()
    assert (stored.outcome, bool(stored.note)) == ("ignored", True)


def test_the_cache_is_asked_outside_of_transactions(rig: LeadsRig, monkeypatch):
    """One that hangs must not keep the database's writers waiting."""
    in_transaction = []

    class RecordingCache:
        def get(self, key: str) -> None:
            in_transaction.append(connection.in_atomic_block)

        def set(self, key: str, *_: object) -> None:
            in_transaction.append(connection.in_atomic_block)

    monkeypatch.setattr("sync.flows.leads.crm_mode.cache", RecordingCache())
    rig.send("create", user())
    rig.run()
    assert len(in_transaction) >= 2
    assert not any(in_transaction)
