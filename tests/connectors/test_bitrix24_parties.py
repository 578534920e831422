"""What hangs on a deal: contacts, comments, product rows; and the fields a portal has."""

import pytest

from sync.connectors.bitrix24 import crm
from sync.connectors.types import File

CONTACT = {
    "id": 5,
    "name": "Иван",
    "fm": [
        {"id": 101, "typeId": "PHONE", "valueType": "WORK", "value": "+79990000000"},
        {"id": 102, "typeId": "EMAIL", "valueType": "HOME", "value": "a@b.c"},
        {"id": 103, "typeId": "PHONE", "valueType": "MOBILE", "value": "+79990000001"},
    ],
}


def test_phones_and_mails() -> None:
    contact = crm.read_contacts({"items": [CONTACT]})["5"]
    assert contact["PHONE"] == [
        {"ID": "101", "VALUE": "+79990000000", "VALUE_TYPE": "WORK"},
        {"ID": "103", "VALUE": "+79990000001", "VALUE_TYPE": "MOBILE"},
    ]
    assert contact["EMAIL"] == [{"ID": "102", "VALUE": "a@b.c", "VALUE_TYPE": "HOME"}]
    fields = {
        "NAME": "Иван",
        "PHONE": [{"VALUE": "1"}, {"VALUE": ""}],
        "EMAIL": [{"VALUE": "x", "VALUE_TYPE": "HOME"}],
    }
    assert crm.contact_add(fields).params["fields"] == {
        "name": "Иван",
        "fm": [
            {"typeId": "PHONE", "valueType": "WORK", "value": "1"},
            {"typeId": "EMAIL", "valueType": "HOME", "value": "x"},
        ],
    }
    assert "fm" not in crm.company_add({"TITLE": "x"}).params["fields"]


def test_duplicates() -> None:
    command = crm.duplicates_by("PHONE", ["+7"], entity="CONTACT")
    assert command.params == {"type": "PHONE", "values": ["+7"], "entity_type": "CONTACT"}
    assert crm.read_duplicates({"CONTACT": [275, 276]}) == {"CONTACT": ["275", "276"]}
    with pytest.raises(ValueError, match="1 to 20"):
        crm.duplicates_by("PHONE", ["+7"] * 21, entity="CONTACT")


def test_comments() -> None:
    row = {
        "ID": "9",
        "ENTITY_ID": "5",
        "ENTITY_TYPE": "deal",
        "COMMENT": "x",
        "AUTHOR_ID": "1",
        "CREATED": "2024",
    }
    files = {"930": {"id": 930}, "931": {"id": 931}}
    assert crm.read_comments([row | {"FILES": files}])[0].file_ids == ("930", "931")
    for none in ([], {}, None):
        assert crm.read_comments([row | {"FILES": none}])[0].file_ids == ()
    assert crm.read_comments([row])[0] == crm.Comment("9", "5", "x", "1", "2024")
    added = crm.comment_add("5", "текст", files=[File("a", b"1")])
    assert added.params == {
        "fields": {"ENTITY_ID": "5", "ENTITY_TYPE": "deal", "COMMENT": "текст", "FILES": [["a", "MQ=="]]}
    }
    assert "FILES" not in crm.comment_add("5", "текст").params["fields"]
    marked = "Привет, [USER=12]Иван[/USER]! [DISK FILE ID=n5] [B]да[/B]"
    assert crm.portable_text(marked) == "Привет, Иван!  [B]да[/B]"


def test_product_rows_leave_ids_of_the_portal_behind() -> None:
    row = {
        "id": 1, "ownerId": 5, "productId": 77, "productName": "Винил", "price": 10.5, "quantity": 2,
        "taxRate": None, "taxIncluded": "Y", "discountTypeId": 2, "discountRate": 0, "storeId": 3, "sort": 10,
        "measureCode": 796,
    }  # fmt: skip
    rows = crm.read_product_rows({"productRows": [row]})
    assert rows == [
        {
            "productId": "0", "productName": "Винил", "price": "10.5", "quantity": "2", "discountTypeId": "2",
            "discountRate": "0", "taxIncluded": "Y", "measureCode": "796", "sort": "10",
        }
    ]  # fmt: skip
    assert crm.product_rows_set("5", rows).params["productRows"] == rows


def test_fields_of_deals() -> None:
    message = {
        "stageId": {"type": "crm_status", "isRequired": False, "title": "Стадия", "upperName": "STAGE_ID"},
        "UF_CRM_17": {
            "type": "enumeration", "isRequired": True, "isMultiple": "Y", "title": "UF_CRM_17",
            "formLabel": "Сегмент", "items": [{"ID": "1321", "VALUE": "конечник"}], "upperName": "UF_CRM_17",
        },
        "createdTime": {"type": "datetime", "isReadOnly": True, "title": "Создан"},
    }  # fmt: skip
    fields = crm.read_fields({"fields": message})
    assert fields["STAGE_ID"] == crm.FieldInfo("Стадия", "crm_status")
    assert fields["UF_CRM_17"] == crm.FieldInfo(
        "Сегмент", "enumeration", is_required=True, is_multiple=True, items={"1321": "конечник"}
    )
    assert fields["DATE_CREATE"].is_read_only
