"""Lists: operators, pages, order, selection."""

import pytest

from sandbox.emulators.bitrix24.entities import DEAL


@pytest.fixture
def filled(call):
    rows = [
        {"TITLE": "Alpha", "OPPORTUNITY": 10, "CATEGORY_ID": 2, "BEGINDATE": "2024-01-01"},
        {"TITLE": "beta", "OPPORTUNITY": 20, "CATEGORY_ID": 25, "BEGINDATE": "2024-02-01"},
        {"TITLE": "Gamma", "OPPORTUNITY": 30, "COMPANY_ID": 5, "ORIGIN_ID": "o-3"},
        {"TITLE": "", "OPPORTUNITY": 0, "COMMENTS": "x", "BEGINDATE": "2024-03-01"},
    ]
    call.control("deals", deals=rows)
    return call


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, [1, 2, 3, 4]),
        ({"ID": 2}, [2]),
        ({"ID": [1, 3, 99]}, [1, 3]),
        ({"@ID": [2, 4]}, [2, 4]),
        ({"!@ID": [2, 4]}, [1, 3]),
        ({"!ID": [2, 4]}, [1, 3]),
        ({"!ID": 1}, [2, 3, 4]),
        ({"!=ID": 1}, [2, 3, 4]),
        ({">ID": 2}, [3, 4]),
        ({">=ID": 2}, [2, 3, 4]),
        ({"<ID": 2}, [1]),
        ({"<=ID": 2}, [1, 2]),
        ({">ID": 0}, [1, 2, 3, 4]),
        ({">OPPORTUNITY": 0}, [1, 2, 3]),
        ({">=OPPORTUNITY": 20}, [2, 3]),
        ({"=OPPORTUNITY": "20.00"}, [2]),
        ({"CATEGORY_ID": 2}, [1]),
        ({"CATEGORY_ID": 0}, [3, 4]),
        ({"TITLE": "ALPHA"}, [1]),
        ({"%TITLE": "et"}, [2]),
        ({"=%TITLE": "%mma"}, [3]),
        ({"%=TITLE": "g%"}, [3]),
        ({"ORIGIN_ID": "o-3"}, [3]),
        ({"ORIGIN_ID": ["o-3", "o-4"]}, [3]),
        ({"ORIGIN_ID": ""}, [1, 2, 4]),
        ({"!ORIGIN_ID": ""}, [3]),
        ({"COMPANY_ID": 0}, [1, 2, 4]),
        ({"%COMPANY_ID": "5"}, [3]),
        ({"%STAGE_ID": "NE"}, []),
        ({">=BEGINDATE": "2024-02-01", "<BEGINDATE": "2024-03-01"}, [2]),
        ({"BEGINDATE": "2024-03-01"}, [4]),
        ({"NO_SUCH": "x"}, [1, 2, 3, 4]),
        ({">=BEGINDATE": "rubbish"}, [1, 2, 3, 4]),
        ({">DATE_CREATE": "2999-01-01"}, []),
    ],
)
def test_operators_of_the_old_lists(filled, wanted, ids):
    rows = filled("crm.deal.list", filter=wanted, select=["ID"])
    assert [int(row["ID"]) for row in rows] == ids


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"id": [1, 2]}, [1, 2]),
        ({"ID": 1}, [1]),
        ({">opportunity": 10}, [2, 3]),
        ({"=originId": "o-3"}, [3]),
        ({"!%title": "a"}, [4]),
        ({">=updatedTime": "2020-01-01T00:00:00+03:00", "@categoryId": [2, 25]}, [1, 2]),
    ],
)
def test_operators_of_the_universal_lists(filled, wanted, ids):
    if "!%title" in wanted:
        filled("crm.deal.update", id=4, fields={"TITLE": "zzz"})
    items = filled("crm.item.list", entityTypeId=DEAL, filter=wanted, select=["id"])["items"]
    assert [item["id"] for item in items] == ids


def test_order(filled):
    rows = filled("crm.deal.list", order={"OPPORTUNITY": "DESC"}, select=["ID"])
    assert [row["ID"] for row in rows] == ["3", "2", "1", "4"]
    rows = filled("crm.deal.list", order={"ID": "DESC"}, select=["ID"])
    assert [row["ID"] for row in rows] == ["4", "3", "2", "1"]
    items = filled("crm.item.list", entityTypeId=DEAL, order={"begindate": "asc"}, select=["id"])["items"]
    assert [item["id"] for item in items] == [1, 2, 4, 3], "the third began today"


def test_selection(filled):
    (row,) = filled("crm.deal.list", filter={"ID": 1}, select=["TITLE"])
    assert set(row) == {"ID", "TITLE"}
    (row,) = filled("crm.deal.list", filter={"ID": 1}, select=["*"])
    assert not any(name.startswith("UF_") for name in row)
    (row,) = filled("crm.deal.list", filter={"ID": 1}, select=["UF_*"])
    assert all(name.startswith("UF_") for name in set(row) - {"ID"})
    (row,) = filled("crm.deal.list", filter={"ID": 1}, select=["ID", "CONTACT_IDS", "NO_SUCH"])
    assert set(row) == {"ID"}


def test_phones_are_listed_only_by_name(call):
    call("crm.contact.add", fields={"NAME": "A", "PHONE": [{"VALUE": "1"}]})
    assert "PHONE" not in call("crm.contact.list")[0]
    assert call("crm.contact.list", select=["PHONE"])[0]["PHONE"][0]["VALUE"] == "1"
    assert call("crm.contact.list", filter={"PHONE": "1"}, select=["ID"]) == [{"ID": "1"}]


def test_pages(call):
    call.control("deals", count=120, fields={"TITLE": "Deal {n}"})
    first = call.whole("crm.deal.list", select=["ID"])
    assert (first["total"], first["next"], len(first["result"])) == (120, 50, 50)
    last = call.whole("crm.deal.list", select=["ID"], start=100)
    assert (last["total"], len(last["result"])) == (120, 20)
    assert "next" not in last
    quick = call.whole("crm.deal.list", select=["ID"], start=-1, filter={">ID": 50})
    assert (quick["total"], len(quick["result"]), quick["result"][0]) == (0, 50, {"ID": "51"})
    assert "next" not in quick
    item_page = call.whole("crm.item.list", entityTypeId=DEAL, start=50, select=["id"])
    assert (item_page["total"], item_page["next"], len(item_page["result"]["items"])) == (120, 100, 50)


def test_the_cursor_way_is_quick_among_ten_thousand(call):
    call.control("deals", count=10_000, fields={"ORIGIN_ID": "o{n}"})
    commands = {f"c{n}": f"crm.deal.list?filter[ORIGIN_ID]=o{n}&select[]=ID" for n in range(1, 51)}
    found = call.batch(commands)["result"]
    assert [rows[0]["ID"] for rows in found.values()] == [str(n) for n in range(1, 51)]
    assert call.whole("batch", cmd=commands)["time"]["duration"] < 0.5
