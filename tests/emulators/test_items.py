"""The universal methods: typed values, strict names, no needless saving."""

import pytest

from sandbox.emulators.bitrix24.entities import DEAL

SEGMENT = "UF_CRM_1773568798364"


def test_names_and_types(call):
    item = call("crm.item.add", entityTypeId=DEAL, fields={"title": "A", "opportunity": 10.5})["item"]
    assert (item["id"], item["opportunity"], item["companyId"], item["entityTypeId"]) == (1, 10.5, 0, DEAL)
    assert (item["isManualOpportunity"], item["contactIds"], item["originId"]) == ("N", [], None)
    assert "ufCrm_1773568798364" in item
    assert SEGMENT not in item


def test_original_names(call):
    params = {"entityTypeId": DEAL, "useOriginalUfNames": "Y"}
    item = call("crm.item.add", fields={SEGMENT: 1323}, **params)["item"]
    assert item[SEGMENT] == 1323
    assert call("crm.item.list", filter={SEGMENT: 1323}, **params)["items"][0][SEGMENT] == 1323
    plain = call("crm.item.add", entityTypeId=DEAL, fields={SEGMENT: 1323, "ufCrm_1773568798364": 1321})[
        "item"
    ]
    assert plain["ufCrm_1773568798364"] == 1321, "without the flag only the converted name is read"


def test_fields_name_their_upper_case_twin(call):
    fields = call("crm.item.fields", entityTypeId=DEAL)["fields"]
    assert fields["createdTime"]["upperName"] == "CREATED_TIME"
    assert fields["ufCrm_1773568798364"]["upperName"] == SEGMENT
    assert SEGMENT in call("crm.item.fields", entityTypeId=DEAL, useOriginalUfNames="Y")["fields"]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("crm.item.get", {"entityTypeId": DEAL, "id": 999}, "NOT_FOUND"),
        ("crm.item.get", {"entityTypeId": 999, "id": 1}, "NOT_FOUND"),
        ("crm.item.delete", {"entityTypeId": DEAL, "id": 999}, "NOT_FOUND"),
        ("crm.item.list", {"entityTypeId": DEAL, "filter": {"noSuch": 1}}, "INVALID_ARG_VALUE"),
        ("crm.item.list", {"entityTypeId": DEAL, "filter": {"DATE_CREATE": 1}}, "INVALID_ARG_VALUE"),
        (
            "crm.item.add",
            {"entityTypeId": DEAL, "fields": {"categoryId": 2, "stageId": "C25:NEW"}},
            "CRM_FIELD_ERROR_VALUE_NOT_VALID",
        ),
    ],
)
def test_errors_have_a_code_and_status_400(call, method, params, code):
    assert call.error(method, **params) == (400, code)


def test_delete_answers_an_empty_list(call):
    call("crm.item.add", entityTypeId=DEAL, fields={})
    assert call("crm.item.delete", entityTypeId=DEAL, id=1) == []
    assert call.error("crm.deal.get", id=1) == (400, "")


def test_an_update_that_changes_nothing_saves_nothing(make, mailbox):
    now = [1_700_000_000.0]
    call = make(clock=lambda: now[0])
    call.emulator.listen("ONCRMDEALUPDATE", mailbox.url)
    fields = {"title": "A", "opportunity": 5, "begindate": "2024-01-01", "comments": ""}
    before = call("crm.item.add", entityTypeId=DEAL, fields=fields)["item"]
    now[0] += 60
    after = call("crm.item.update", entityTypeId=DEAL, id=before["id"], fields=fields)["item"]
    assert after == before
    call.emulator.wait_for_events()
    assert mailbox.events == []
    call("crm.item.update", entityTypeId=DEAL, id=before["id"], fields={"title": "B"})
    call.emulator.wait_for_events()
    assert mailbox.names == ["ONCRMDEALUPDATE"]


def test_moving_to_another_funnel(call):
    deal_id = call("crm.deal.add", fields={"CATEGORY_ID": 2, "STAGE_ID": "C2:PREPARATION"})
    item = call("crm.item.update", entityTypeId=DEAL, id=deal_id, fields={"categoryId": 25})["item"]
    assert (item["categoryId"], item["stageId"]) == (25, "C25:NEW")
    fields = {"categoryId": 2, "stageId": "C2:UC_MXQPC8"}
    item = call("crm.item.update", entityTypeId=DEAL, id=deal_id, fields=fields)["item"]
    assert (item["categoryId"], item["stageId"]) == (2, "C2:UC_MXQPC8")
    history = call("crm.stagehistory.list", entityTypeId=DEAL, filter={"OWNER_ID": deal_id})["items"]
    assert [row["TYPE_ID"] for row in history] == [1, 5, 5]


def test_import_keeps_history_and_runs_at_most_twenty(call):
    fields = {"title": "old", "createdTime": "2020-05-01T10:00:00+03:00", "createdBy": 7}
    made = call("crm.item.import", entityTypeId=DEAL, fields=fields)
    assert made == {"item": {"id": 1}}
    item = call("crm.item.get", entityTypeId=DEAL, id=1)["item"]
    assert (item["createdTime"], item["createdBy"]) == ("2020-05-01T10:00:00+03:00", 7)
    data = [{"title": "ok"}, {"title": "bad", "createdTime": "2999-01-01T00:00:00+03:00"}]
    ok, bad = call("crm.item.batchImport", entityTypeId=DEAL, data=data)["items"]
    assert ok == {"item": {"id": 2}}
    assert bad["error"] == "CRM_FIELD_ERROR_VALUE_NOT_VALID"
    assert call.error("crm.item.batchImport", entityTypeId=DEAL, data=[{}] * 21) == (
        400,
        "MAX_IMPORT_BATCH_SIZE_EXCEEDED",
    )


def test_read_only_fields_are_ignored(call):
    item = call("crm.item.add", entityTypeId=DEAL, fields={"createdBy": 9, "id": 77})["item"]
    assert (item["id"], item["createdBy"]) == (1, 1)


def test_smart_processes(call, mailbox):
    call.control("types", rows=[{"ENTITY_TYPE_ID": 147, "TITLE": "Замеры", "CATEGORY_ID": 9}])
    call.emulator.listen("ONCRMDYNAMICITEMADD", mailbox.url)
    call.emulator.listen("ONCRMDYNAMICITEMADD_147", mailbox.url)
    item = call("crm.item.add", entityTypeId=147, fields={"title": "A", "categoryId": 9})["item"]
    assert item["stageId"] == "DT147_9:NEW"
    (kind,) = call("crm.type.list", filter={"entityTypeId": 147})["types"]
    assert (kind["title"], kind["isCategoriesEnabled"]) == ("Замеры", "Y")
    call.emulator.wait_for_events()
    assert [event["data"]["FIELDS"] for event in mailbox.events] == [{"ID": "1", "ENTITY_TYPE_ID": "147"}] * 2


def test_or_filter(call):
    call.control(
        "deals",
        deals=[{"TITLE": name, "OPPORTUNITY": sum_} for name, sum_ in zip("abc", (1, 2, 3), strict=True)],
    )
    wanted = {"0": {"logic": "OR", "0": {"title": "a"}, "1": {">opportunity": 2}}}
    items = call("crm.item.list", entityTypeId=DEAL, filter=wanted, select=["title"])["items"]
    assert [item["title"] for item in items] == ["a", "c"]


def test_fm_comes_only_with_a_star(call):
    call("crm.contact.add", fields={"NAME": "A", "PHONE": [{"VALUE": "+7900", "VALUE_TYPE": "MOBILE"}]})
    (starred,) = call("crm.item.list", entityTypeId=3, select=["*"])["items"]
    assert starred["fm"] == [{"id": 1, "typeId": "PHONE", "valueType": "MOBILE", "value": "+7900"}]
    (named,) = call("crm.item.list", entityTypeId=3, select=["name", "fm"])["items"]
    assert "fm" not in named
