"""Users, departments and universal lists."""

import pytest

OBJECTS = {"IBLOCK_TYPE_ID": "bitrix_processes", "IBLOCK_ID": 77}


def test_users(call):
    call.control("users", rows=[{"NAME": "Мария", "ACTIVE": False}, {"NAME": "Пётр", "LAST_NAME": "Первый"}])
    first, second, third = call("user.get")
    assert (first["ID"], first["ACTIVE"], second["ACTIVE"]) == ("1", True, False)
    assert third["UF_DEPARTMENT"] == [1]
    assert [user["ID"] for user in call("user.get", FILTER={"ACTIVE": True})] == ["1", "3"]
    assert [user["ID"] for user in call("user.get", ACTIVE="false")] == ["2"]
    assert [user["ID"] for user in call("user.get", filter={"LAST_NAME": "первый"})] == ["3"]
    assert [user["ID"] for user in call("user.get", sort="ID", order="DESC")] == ["3", "2", "1"]
    assert [user["ID"] for user in call("user.get", ID=[1, 3])] == ["1", "3"]
    assert set(call("user.get", ID=1, select=["ID", "NAME", "NO_SUCH"])[0]) == {"ID", "NAME"}
    assert call("user.get", filter={">=DATE_REGISTER": "rubbish"}) == []
    assert call("user.current")["ID"] == "1"


def test_users_have_pages(call):
    call.control("users", count=70, fields={"NAME": "User {n}"})
    whole = call.whole("user.get")
    assert (len(whole["result"]), whole["total"], whole["next"]) == (50, 71, 50)
    assert "next" not in call.whole("user.get", start=50)


def test_departments(call):
    call.control("departments", rows=[{"NAME": "Продажи", "PARENT": 1, "UF_HEAD": 1}])
    root, sales = call("department.get")
    assert root == {"ID": "1", "NAME": "Компания", "SORT": 500}
    assert sales == {"ID": "2", "NAME": "Продажи", "SORT": 500, "PARENT": "1", "UF_HEAD": "1"}
    assert call("department.get", PARENT=1) == [sales]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "ERROR_REQUIRED_PARAMETERS_MISSING"),
        ({"IBLOCK_TYPE_ID": "bitrix_processes"}, "ERROR_REQUIRED_PARAMETERS_MISSING"),
        ({"IBLOCK_TYPE_ID": "bitrix_processes", "IBLOCK_ID": 999}, "ERROR_IBLOCK_NOT_FOUND"),
        ({"IBLOCK_TYPE_ID": "lists", "IBLOCK_ID": 77}, "ERROR_IBLOCK_NOT_FOUND"),
    ],
)
def test_list_errors(call, params, code):
    assert call.error("lists.element.get", **params) == (400, code)


def test_list_fields(call):
    fields = call("lists.field.get", **OBJECTS)
    assert fields["PROPERTY_637"]["DISPLAY_VALUES_FORM"]["1469"] == "Москва"
    assert list(call("lists.field.get", FIELD_ID="PROPERTY_637", **OBJECTS)) == ["L"]
    assert [row["ID"] for row in call("lists.get", IBLOCK_TYPE_ID="bitrix_processes")] == ["77", "123", "127"]
    assert call("lists.get", IBLOCK_TYPE_ID="lists") == []
    assert call("lists.get.iblock.type.id", IBLOCK_ID=77) == "bitrix_processes"
    assert call("lists.get.iblock.type.id", IBLOCK_ID=1) is None


def test_elements_are_keyed_by_value_ids(call):
    rows = [{"IBLOCK_ID": 77, "NAME": "Башня", "PROPERTY_637": "1469", "PROPERTY_645": ["1501", "1503"]}]
    call.control("elements", rows=rows)
    (element,) = call("lists.element.get", **OBJECTS)
    assert (element["ID"], element["NAME"], list(element["PROPERTY_637"].values())) == (
        "1",
        "Башня",
        ["1469"],
    )
    assert list(element["PROPERTY_645"].values()) == ["1501", "1503"]
    assert not set(element["PROPERTY_637"]) & set(element["PROPERTY_645"])
    assert call("lists.element.get", FILTER={"PROPERTY_637": "1471"}, **OBJECTS) == []
    assert len(call("lists.element.get", FILTER={"ID": 99}, **OBJECTS)) == 1, "ID is no documented filter"
    assert set(call("lists.element.get", SELECT=["NAME"], **OBJECTS)[0]) == {"ID", "NAME"}


def test_an_update_empties_what_it_leaves_out(call):
    fields = {"NAME": "A", "PROPERTY_637": "1469", "PROPERTY_645": "1501"}
    made = call("lists.element.add", ELEMENT_CODE="a", FIELDS=fields, **OBJECTS)
    assert call.error("lists.element.add", ELEMENT_CODE="a", FIELDS=fields, **OBJECTS)[1] == (
        "ERROR_ELEMENT_ALREADY_EXISTS"
    )
    change = {"NAME": "B", "PROPERTY_637": "1471"}
    assert call("lists.element.update", ELEMENT_ID=made, FIELDS=change, **OBJECTS) is True
    (element,) = call("lists.element.get", ELEMENT_ID=made, **OBJECTS)
    assert "PROPERTY_645" not in element
    assert call.error("lists.element.update", ELEMENT_ID=made, FIELDS={"NAME": "B"}, **OBJECTS)[1] == (
        "ERROR_ELEMENT_FIELD_VALUE"
    )
    assert call("lists.element.delete", ELEMENT_ID=made, **OBJECTS) is True
    assert call.error("lists.element.delete", ELEMENT_ID=made, **OBJECTS)[1] == "ERROR_ELEMENT_NOT_FOUND"


def test_elements_have_pages(call):
    call.control("elements", count=120, fields={"IBLOCK_ID": 123, "NAME": "Нарушение {n}"})
    params = {"IBLOCK_TYPE_ID": "bitrix_processes", "IBLOCK_ID": 123, "ELEMENT_ORDER": {"ID": "desc"}}
    whole = call.whole("lists.element.get", start=100, **params)
    assert [len(whole["result"]), whole["total"], whole["result"][-1]["ID"]] == [20, 120, "1"]
    assert "next" not in whole


def test_lists_can_be_made(call):
    fields = [{"FIELD_ID": "PROPERTY_1", "NAME": "Цвет", "ENUM": {"5": "red"}}]
    call.control("lists", lists=[{"ID": 47, "NAME": "Мой", "IBLOCK_TYPE_ID": "lists", "FIELDS": fields}])
    shown = call("lists.field.get", IBLOCK_TYPE_ID="lists", IBLOCK_ID=47)
    assert shown["PROPERTY_1"]["DISPLAY_VALUES_FORM"] == {"5": "red"}
