"""Deals: what is asked, how answers are read, and what is never believed."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from sync.connectors.bitrix24 import crm
from sync.connectors.types import File
from sync.errors import NeedsStaff, OutcomeUnknown, TryLater

BASE = "https://x.bitrix24.ru/rest/1/Zq9s3cret/"

DEAL = {
    "id": 351,
    "title": "Сделка 😀",
    "categoryId": 9,
    "stageId": "C9:UC_KN8KFI",
    "opportunity": 1000.0,
    "companyId": 0,
    "contactId": 4,
    "contactIds": [4, 5],
    "begindate": "2024-06-18T02:00:00+02:00",
    "createdTime": "2024-07-18T14:00:14+02:00",
    "closed": "N",
    "comments": None,
    "entityTypeId": 2,
    "UF_CRM_17": ["a", "b"],
    "UF_CRM_18": {
        "id": 30577,
        "url": "https://x.bitrix24.ru/bitrix/services/main/ajax.php?action=crm.controller.item.getFile",
        "urlMachine": BASE + "crm.controller.item.getFile/?token=crm%7CeHh4%7C",
    },
    "UF_CRM_19": [
        {"id": 1, "url": "x", "urlMachine": "https://x.bitrix24.ru/rest/m.json?auth=Zq9s3cret&token=t%26"},
        {"id": 2, "showUrl": "/bitrix/x", "downloadUrl": "/bitrix/x?auth="},
    ],
}


def test_reading_deals() -> None:
    deals = crm.read_deals({"items": [DEAL]})
    assert deals == {
        "351": {
            "ID": "351",
            "TITLE": "Сделка 😀",
            "CATEGORY_ID": "9",
            "STAGE_ID": "C9:UC_KN8KFI",
            "OPPORTUNITY": "1000",
            "COMPANY_ID": "",
            "CONTACT_ID": "4",
            "CONTACT_IDS": ["4", "5"],
            "BEGINDATE": "2024-06-18",
            "DATE_CREATE": "2024-07-18T14:00:14+02:00",
            "CLOSED": "N",
            "COMMENTS": "",
            "UF_CRM_17": ["a", "b"],
            "UF_CRM_18": {"file_id": "30577", "path": "crm.controller.item.getFile/?token=crm%7CeHh4%7C"},
            "UF_CRM_19": [{"file_id": "1", "path": "m.json?token=t%26"}, {"file_id": "2", "path": ""}],
        }
    }
    assert "Zq9s3cret" not in repr(deals)


READERS = [
    crm.read_deals, crm.read_contacts, crm.read_listed, crm.read_origins, crm.read_comments, crm.read_comment,
    crm.read_duplicates, crm.read_product_rows, crm.read_fields, crm.read_funnels,
    crm.read_stages, crm.read_profile, crm.read_method,
]  # fmt: skip


@pytest.mark.parametrize("nonsense", [None, "", 5, True, "x", ["x"], [[]], {"items": None}, {"items": {}}])
@pytest.mark.parametrize("read", READERS)
def test_nonsense_is_never_read_as_nothing_found(read: Callable[[Any], Any], nonsense: object) -> None:
    if isinstance(nonsense, dict) and read in (crm.read_comment, crm.read_profile, crm.read_method):
        return  # an object with other keys is an object all the same
    with pytest.raises((TryLater, TypeError, KeyError)):
        read(nonsense)


def test_nothing_found_is_nothing() -> None:
    assert crm.read_deals({"items": []}) == {}
    assert crm.read_listed({"items": []}) == []
    assert crm.read_origins({"items": []}) == {}
    assert crm.read_comments([]) == []
    assert crm.read_duplicates([]) == {}
    assert crm.read_product_rows({"productRows": []}) == []


@pytest.mark.parametrize("nonsense", [None, "", True, False, [], {}, {"item": None}, {"item": {}}, 0, "x"])
def test_an_add_without_an_id_is_unknown(nonsense: object) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        crm.read_added(nonsense)
    assert not raised.value.is_portal_wide


def test_asking_for_deals() -> None:
    command = crm.deals_by_ids(["5", "6"])
    assert command.method == "crm.item.list"
    assert command.params == {
        "entityTypeId": 2,
        "filter": {"@id": ["5", "6"]},
        "order": {"id": "ASC"},
        "select": ["*"],
        "start": -1,
        "useOriginalUfNames": "Y",
    }
    assert crm.deals_between(7, 9).params["filter"] == {">id": 7, "<=id": 9}
    assert crm.deals_between(7, 9, "2024-01-01T00:00:00+03:00").params["filter"] == {
        ">=updatedTime": "2024-01-01T00:00:00+03:00",
        ">id": 7,
        "<=id": 9,
    }
    for count in (0, 51):
        with pytest.raises(ValueError, match="1 to 50"):
            crm.deals_by_ids(["5"] * count)
        with pytest.raises(ValueError, match="1 to 50"):
            crm.deals_by_origin("x", ["5"] * count)


def test_writing_deals() -> None:
    fields: dict[str, Any] = {
        "TITLE": "Ы",
        "MODIFY_BY_ID": "1",
        "BEGINDATE": "2024-06-18T02:00:00+02:00",
        "UF_CRM_17": File("счёт.pdf", b"\x00\xff"),
        "UF_CRM_18": [File("a", b"1")],
        "COMMENTS": None,
    }
    encoded = base64.b64encode(b"\x00\xff").decode()
    written = {
        "title": "Ы",
        "updatedBy": "1",
        "begindate": "2024-06-18",
        "UF_CRM_17": ["счёт.pdf", encoded],
        "UF_CRM_18": [["a", "MQ=="]],
        "comments": "",
    }
    assert crm.add_deal(fields).params == {"entityTypeId": 2, "fields": written, "useOriginalUfNames": "Y"}
    assert crm.update_deal("5", fields).params["id"] == "5"
    assert crm.update_deal("5", fields).params["fields"] == written


def test_a_fetched_file_link_cannot_be_written_by_mistake() -> None:
    with pytest.raises(ValueError, match="download the file"):
        crm.update_deal("5", {"UF_CRM_18": crm.read_deals({"items": [DEAL]})["351"]["UF_CRM_18"]})


@pytest.mark.parametrize(
    ("value", "added"), [({"item": {"id": 5}}, "5"), (5, "5"), ("5", "5"), ({"id": 5}, "5")]
)
def test_reading_a_new_id(value: object, added: str) -> None:
    assert crm.read_added(value) == added


def origins(*pairs: tuple[int, str]) -> dict[str, Any]:
    return {"items": [{"id": number, "originId": origin} for number, origin in pairs]}


def test_reading_origins() -> None:
    assert crm.read_origins(origins((1, "a"), (2, "b"), (3, "a"))) == {"a": ["1", "3"], "b": ["2"]}
    full = origins(*((number, str(number)) for number in range(50)))
    assert len(crm.read_origins(full)) == 50


def test_a_full_page_with_doubles_is_not_trusted() -> None:
    with pytest.raises(NeedsStaff, match="0, 1"):
        crm.read_origins(origins((0, "a"), (1, "a"), *((number, str(number)) for number in range(2, 50))))
