"""The old methods of deals, with their types and silences."""

from datetime import timedelta, timezone

import pytest

from sandbox.emulators.bitrix24.entities import DEAL

SEGMENT = "UF_CRM_1773568798364"


def test_scalars_are_text_and_empties_are_odd(call):
    deal_id = call("crm.deal.add", fields={"TITLE": "A", "OPPORTUNITY": 1000000, SEGMENT: "1321"})
    deal = call("crm.deal.get", id=deal_id)
    assert isinstance(deal_id, int)
    assert {name: deal[name] for name in ("ID", "OPPORTUNITY", "CATEGORY_ID", "STAGE_ID", SEGMENT)} == {
        "ID": "1",
        "OPPORTUNITY": "1000000.00",
        "CATEGORY_ID": "0",
        "STAGE_ID": "NEW",
        SEGMENT: "1321",
    }
    assert deal["LEAD_ID"] is None
    assert deal["COMPANY_ID"] == "0"
    assert "CONTACT_IDS" not in deal
    assert "UF_CRM_1773600000001" not in deal, "an empty single file has no key"


def test_defaults(call):
    deal_id = call("crm.deal.add", fields={"CATEGORY_ID": 2})
    deal = call("crm.deal.get", id=deal_id)
    assert (deal["TITLE"], deal["STAGE_ID"], deal["IS_NEW"]) == (f"Сделка #{deal_id}", "C2:NEW", "Y")
    assert (deal["OPENED"], deal["ASSIGNED_BY_ID"], deal["OPPORTUNITY"]) == ("Y", "1", "0.00")


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("crm.deal.get", {"id": 999}, "Not found"),
        ("crm.deal.update", {"id": 999, "fields": {}}, "Not found"),
        ("crm.deal.delete", {"id": 999}, "Not found"),
        ("crm.deal.get", {}, "ID is not defined or invalid."),
        ("crm.deal.add", {"fields": "x"}, "Parameter 'fields' must be array."),
        ("crm.deal.add", {}, "Parameter 'fields' must be array."),
    ],
)
def test_errors_have_an_empty_code_and_status_400(call, method, params, text):
    envelope = call.whole(method, **params)
    assert call.status == 400
    assert envelope == {"error": "", "error_description": text}


@pytest.mark.parametrize(
    "ignored",
    [
        {"NO_SUCH": "x"},
        {"ID": 77},
        {"DATE_CREATE": "2020-01-01T00:00:00+03:00"},
        {"CATEGORY_ID": 25},
        {"STAGE_ID": "C25:NEW"},
        {"BEGINDATE": "rubbish"},
        {SEGMENT: "дизайнер"},
        {SEGMENT: 4},
    ],
)
def test_ignored_without_a_word(call, ignored):
    deal_id = call("crm.deal.add", fields={"CATEGORY_ID": 2, "STAGE_ID": "C2:PREPARATION", SEGMENT: 1321})
    before = call("crm.deal.get", id=deal_id)
    assert call("crm.deal.update", id=deal_id, fields=ignored) is True
    assert call("crm.deal.get", id=deal_id) == before


def test_update_is_partial_and_touches_the_record(make):
    now = [1_700_000_000.0]
    call = make(clock=lambda: now[0])
    deal_id = call("crm.deal.add", fields={"TITLE": "A", "COMMENTS": "c"})
    now[0] += 60
    assert call("crm.deal.update", ID=deal_id, FIELDS={"TITLE": "B"}) is True
    deal = call("crm.deal.get", ID=deal_id)
    assert (deal["TITLE"], deal["COMMENTS"]) == ("B", "c")
    assert deal["DATE_CREATE"] == "2023-11-15T01:13:20+03:00"
    assert deal["DATE_MODIFY"] == "2023-11-15T01:14:20+03:00"


def test_deleted_is_not_found(call):
    deal_id = call("crm.deal.add", fields={})
    assert call("crm.deal.delete", id=deal_id) is True
    assert call.error("crm.deal.get", id=deal_id) == (400, "")
    assert call("crm.deal.add", fields={}) == deal_id + 1, "an ID is never given out twice"


def test_origin_is_not_unique(call):
    origin = {"ORIGINATOR_ID": "bus", "ORIGIN_ID": "42"}
    first, second = (call("crm.deal.add", fields=origin) for _ in range(2))
    found = call("crm.deal.list", filter=origin, select=["ID"])
    assert found == [{"ID": str(first)}, {"ID": str(second)}]
    assert call.look("stats")["duplicates_by_origin"] == 1


@pytest.mark.parametrize("text", ["[B]жирный[/B]\n\t  ", "😀" * 50_000, "<b>&amp;</b>", "a\r\nb\\u0041"])
def test_text_is_kept_byte_for_byte(call, text):
    deal_id = call("crm.deal.add", fields={"COMMENTS": text})
    assert call("crm.deal.get", id=deal_id)["COMMENTS"] == text
    assert call("crm.item.get", entityTypeId=DEAL, id=deal_id)["item"]["comments"] == text


@pytest.mark.parametrize(
    ("hours", "shown"),
    [(3, "2024-08-30T03:00:00+03:00"), (0, "2024-08-30T00:00:00+00:00"), (-5, "2024-08-29T19:00:00-05:00")],
)
def test_a_date_is_midnight_plus_the_offset(make, hours, shown):
    call = make(utc_offset=timezone(timedelta(hours=hours)))
    deal_id = call("crm.deal.add", fields={"BEGINDATE": "2024-08-30"})
    assert call("crm.deal.get", id=deal_id)["BEGINDATE"] == shown
    call("crm.deal.update", id=deal_id, fields={"BEGINDATE": ""})
    assert call("crm.deal.get", id=deal_id)["BEGINDATE"] is None


def test_a_stage_moves_within_its_funnel_only(call):
    deal_id = call("crm.deal.add", fields={"CATEGORY_ID": 2})
    call("crm.deal.update", id=deal_id, fields={"STAGE_ID": "C2:WON"})
    deal = call("crm.deal.get", id=deal_id)
    assert (deal["STAGE_ID"], deal["STAGE_SEMANTIC_ID"], deal["CLOSED"]) == ("C2:WON", "S", "Y")
    history = call("crm.stagehistory.list", entityTypeId=DEAL, filter={"OWNER_ID": deal_id})["items"]
    assert [(row["TYPE_ID"], row["STAGE_ID"], row["OWNER_ID"]) for row in history] == [
        (1, "C2:NEW", deal_id),
        (3, "C2:WON", deal_id),
    ]


def test_fields_describe_themselves(call):
    fields = call("crm.deal.fields")
    assert fields["ID"]["isReadOnly"] is True
    assert fields["CATEGORY_ID"]["isImmutable"] is True
    assert not any(field["isRequired"] for field in fields.values())
    assert fields[SEGMENT]["items"] == [
        {"ID": "1321", "VALUE": "конечник"},
        {"ID": "1323", "VALUE": "дизайнер"},
    ]
    assert fields[SEGMENT]["title"] == SEGMENT
    assert fields[SEGMENT]["listLabel"] == "Сегмент"


def test_required_user_fields_bind_the_universal_method_only(call):
    call("crm.deal.userfield.add", fields={"FIELD_NAME": "MUST", "USER_TYPE_ID": "string", "MANDATORY": "Y"})
    assert call("crm.deal.add", fields={"TITLE": "A"}) == 1
    assert call.error("crm.item.add", entityTypeId=DEAL, fields={"title": "A"}) == (
        400,
        "CRM_FIELD_ERROR_REQUIRED",
    )


def test_user_fields(call):
    made = call(
        "crm.deal.userfield.add",
        fields={
            "FIELD_NAME": "COLOR",
            "USER_TYPE_ID": "enumeration",
            "MULTIPLE": "Y",
            "LIST": [{"VALUE": "red"}],
        },
    )
    plain = call("crm.deal.userfield.list", filter={"FIELD_NAME": "UF_CRM_COLOR"})
    assert [row["ID"] for row in plain] == [str(made)]
    assert "EDIT_FORM_LABEL" not in plain[0]
    option = plain[0]["LIST"][0]["ID"]
    labelled = call("crm.deal.userfield.list", filter={"LANG": "ru", "FIELD_NAME": SEGMENT})
    assert labelled[0]["EDIT_FORM_LABEL"] == "Сегмент"
    deal_id = call("crm.deal.add", fields={"UF_CRM_COLOR": [option]})
    assert call("crm.deal.get", id=deal_id)["UF_CRM_COLOR"] == [option]
    assert call("crm.deal.userfield.delete", id=made) is True
    assert "UF_CRM_COLOR" not in call("crm.deal.get", id=deal_id)


def test_empty_multiple_values_are_false(call):
    call("crm.deal.userfield.add", fields={"FIELD_NAME": "MANY", "USER_TYPE_ID": "string", "MULTIPLE": "Y"})
    assert call("crm.deal.get", id=call("crm.deal.add", fields={}))["UF_CRM_MANY"] is False


def test_without_rights_is_not_deleted(call):
    ids = call.control("deals", count=3, fields={"TITLE": "Deal {n}"})["ids"]
    call.control("hide", deals=ids[:2])
    assert [row["ID"] for row in call("crm.deal.list")] == [str(ids[2])]
    assert call.whole("crm.deal.get", id=ids[0])["error_description"] == "Access denied."
    assert call.error("crm.item.get", entityTypeId=DEAL, id=ids[0]) == (400, "ACCESS_DENIED")
    call.control("hide", deals=[])
    assert len(call("crm.deal.list")) == 3


def test_both_families_act_on_the_same_record(call):
    deal_id = call("crm.deal.add", fields={"TITLE": "A", "OPPORTUNITY": "999.99", "CATEGORY_ID": 2})
    item = call("crm.item.get", entityTypeId=DEAL, id=deal_id)["item"]
    typed = [item["id"], item["opportunity"], item["categoryId"]]
    assert repr(typed) == repr([deal_id, 999.99, 2])
    call("crm.item.update", entityTypeId=DEAL, id=deal_id, fields={"title": "B"})
    assert call("crm.deal.get", id=deal_id)["TITLE"] == "B"
