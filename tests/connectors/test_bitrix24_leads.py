"""Leads: what the commands say, what the answers mean, and both against an emulated portal."""

import pytest

from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.errors import NeedsStaff, Refused, TryLater
from tests.connectors.asking import ask

PHONE = {"VALUE": "+79990000000", "VALUE_TYPE": "WORK"}


def test_what_is_said() -> None:
    added = crm.lead_add({"NAME": "Иван", "PHONE": [PHONE]})
    assert added.method == "crm.lead.add"
    assert added.params["fields"] == {"NAME": "Иван", "PHONE": [PHONE]}
    assert added.params["params"] == {"REGISTER_SONET_EVENT": "N"}
    found = crm.leads_by_origin("bus", ["5", "6"])
    assert found.params["filter"] == {"=ORIGINATOR_ID": "bus", "@ORIGIN_ID": ["5", "6"]}
    assert found.params["start"] == -1, "counting is what makes long lists slow"
    for builder in (lambda ids: crm.leads_by_origin("bus", ids), crm.lead_contacts):
        for ids in ([], [str(number) for number in range(51)]):
            with pytest.raises(ValueError, match="1 to 50"):
                builder(ids)


@pytest.mark.parametrize(("value", "has_leads"), [(1, True), ("1", True), (2, False), ("2", False)])
def test_the_mode(value: object, has_leads: bool) -> None:
    assert crm.read_has_leads(value) is has_leads


@pytest.mark.parametrize("value", [None, "", 0, 3, True, [], {"mode": 1}])
def test_an_answer_that_is_no_mode_is_not_taken_for_one(value: object) -> None:
    with pytest.raises(TryLater):
        crm.read_has_leads(value)


def test_phones_of_leads() -> None:
    rows = [
        {"ID": "5", "PHONE": [{"ID": "101", "VALUE_TYPE": "WORK", "VALUE": "+7", "TYPE_ID": "PHONE"}]},
        {"ID": "6"},
    ]
    assert crm.read_lead_contacts(rows) == {
        "5": {"PHONE": [{"ID": "101", "VALUE": "+7", "VALUE_TYPE": "WORK"}]},
        "6": {},
    }
    for shape in ({}, None, "", [1], [{"ID": "5", "PHONE": "+7"}]):
        with pytest.raises(TryLater):
            crm.read_lead_contacts(shape)


def test_origins() -> None:
    rows = [{"ID": "5", "ORIGIN_ID": "a"}, {"ID": "7", "ORIGIN_ID": "b"}, {"ID": "9", "ORIGIN_ID": "a"}]
    assert crm.read_lead_origins(rows) == {"a": ["5", "9"], "b": ["7"]}
    assert crm.read_lead_origins([]) == {}
    with pytest.raises(TryLater):
        crm.read_lead_origins({"items": []})
    page = [{"ID": str(number), "ORIGIN_ID": str(number % 49)} for number in range(50)]
    with pytest.raises(NeedsStaff):
        crm.read_lead_origins(page)


def test_a_lead_is_created_found_and_changed(client: Bitrix24Client) -> None:
    fields = {"NAME": "Иван", "STATUS_ID": "IN_PROCESS", "PHONE": [PHONE]}
    stamp = {"ORIGINATOR_ID": "bus", "ORIGIN_ID": "u1"}
    lead_id = crm.read_added(ask(client, crm.lead_add({**fields, **stamp})))
    other = crm.read_added(ask(client, crm.lead_add({"NAME": "Пётр", "ORIGINATOR_ID": "else"})))
    assert crm.read_lead_origins(ask(client, crm.leads_by_origin("bus", ["u1", "u2"]))) == {"u1": [lead_id]}
    contacts = crm.read_lead_contacts(ask(client, crm.lead_contacts([lead_id, other, "9999"])))
    assert contacts.keys() == {lead_id, other}
    [row] = contacts[lead_id]["PHONE"]
    ask(client, crm.lead_update(lead_id, {"PHONE": [{**row, "VALUE": "+79990000001"}], "STATUS_ID": "JUNK"}))
    contacts = crm.read_lead_contacts(ask(client, crm.lead_contacts([lead_id])))
    assert contacts[lead_id]["PHONE"] == [{**row, "VALUE": "+79990000001"}]
    with pytest.raises(Refused):
        ask(client, crm.lead_update("9999", {"NAME": "x"}))


def test_what_the_portal_tells_of_its_leads(client: Bitrix24Client) -> None:
    assert crm.read_has_leads(ask(client, crm.crm_mode()))
    assert list(crm.read_stages(ask(client, crm.lead_stages())))[:2] == ["NEW", "IN_PROCESS"]
    fields = crm.read_lead_fields(ask(client, crm.lead_fields()))
    assert fields["STATUS_ID"].type == "crm_status"
    assert fields["DATE_CREATE"].is_read_only
