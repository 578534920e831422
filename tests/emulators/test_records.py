"""What hangs on a deal and beside it: contacts, phones, products, comments, files, statuses."""

import base64

import pytest
import requests

from sandbox.emulators.bitrix24.entities import DEAL

FILE, FILES = "UF_CRM_1773600000001", "UF_CRM_1773600000002"
BROWSER = {"Accept": "*/*", "Accept-Language": "ru", "Referer": "https://portal/", "User-Agent": "x/1"}
ITEM = {"entityTypeId": DEAL, "useOriginalUfNames": "Y"}


def packed(content):
    return base64.b64encode(content).decode()


def phone(value, **more):
    return {"VALUE": value, "VALUE_TYPE": "WORK", **more}


def test_a_phone_sent_again_is_doubled(call):
    contact = call("crm.contact.add", fields={"NAME": "A", "PHONE": [phone("+7 900")]})
    call("crm.contact.update", id=contact, fields={"PHONE": [phone("+7 900")]})
    first, second = call("crm.contact.get", id=contact)["PHONE"]
    assert (first["VALUE"], second["VALUE"], first["TYPE_ID"]) == ("+7 900", "+7 900", "PHONE")
    assert first["ID"] != second["ID"]
    call("crm.contact.update", id=contact, fields={"PHONE": [{"ID": first["ID"], "VALUE": "1"}]})
    call("crm.contact.update", id=contact, fields={"PHONE": [{"ID": second["ID"]}]})
    (left,) = call("crm.contact.get", id=contact)["PHONE"]
    assert left["VALUE"] == "1"
    call("crm.contact.update", id=contact, fields={"PHONE": [{"ID": first["ID"], "DELETE": "Y"}]})
    emptied = call("crm.contact.get", id=contact)
    assert "PHONE" not in emptied
    assert emptied["HAS_PHONE"] == "N"


def test_a_wrong_email_is_refused(call):
    fields = {"NAME": "A", "EMAIL": [{"VALUE": "nonsense"}]}
    assert call.error("crm.contact.add", fields=fields) == (400, "ERROR_CORE")


def test_fm(call):
    fm = [{"typeId": "PHONE", "valueType": "WORK", "value": "1"}]
    item = call("crm.item.add", entityTypeId=3, fields={"name": "A", "fm": fm})["item"]
    (kept,) = item["fm"]
    change = {
        "n0": {"typeId": "EMAIL", "valueType": "WORK", "value": "a@b.ru"},
        str(kept["id"]): {"value": "2"},
    }
    item = call("crm.item.update", entityTypeId=3, id=item["id"], fields={"fm": change})["item"]
    assert [(one["typeId"], one["value"]) for one in item["fm"]] == [("PHONE", "2"), ("EMAIL", "a@b.ru")]
    gone = {str(kept["id"]): {"value": ""}}
    item = call("crm.item.update", entityTypeId=3, id=item["id"], fields={"fm": gone})["item"]
    assert [one["typeId"] for one in item["fm"]] == ["EMAIL"]


def test_find_by_communication(call):
    call("crm.contact.add", fields={"NAME": "A", "PHONE": [phone("+7 (900) 111-22-33")]})
    call("crm.company.add", fields={"TITLE": "B", "EMAIL": [{"VALUE": "A@b.ru"}]})
    assert call("crm.duplicate.findbycomm", type="PHONE", values=["79001112233"]) == {"CONTACT": [1]}
    assert call("crm.duplicate.findbycomm", type="EMAIL", values=["a@B.ru"]) == {"COMPANY": [1]}
    assert call("crm.duplicate.findbycomm", type="PHONE", values=["0"]) == []
    assert call("crm.duplicate.findbycomm", type="PHONE", values=["79001112233"], entity_type="LEAD") == []
    assert call.error("crm.duplicate.findbycomm", type="FAX", values=["1"])[0] == 400
    assert call.error("crm.duplicate.findbycomm", type="PHONE", values=["1"] * 21)[0] == 400


def test_simple_mode_turns_leads_into_deals(make):
    call = make(crm_mode=2)
    lead = call("crm.lead.add", fields={"TITLE": "L"})
    assert call.error("crm.lead.get", id=lead) == (400, "")
    assert [deal["TITLE"] for deal in call.emulator.deals()] == ["L"]


def test_leads_have_statuses(call):
    lead = call("crm.lead.add", fields={"NAME": "A", "STATUS_ID": "IN_PROCESS", "PHONE": [phone("1")]})
    assert call("crm.lead.get", id=lead)["STATUS_ID"] == "IN_PROCESS"
    assert call("crm.item.get", entityTypeId=1, id=lead)["item"]["stageId"] == "IN_PROCESS"


def test_contacts_of_a_deal(call):
    deal = call("crm.deal.add", fields={"CONTACT_IDS": [4, 5]})
    links = call("crm.deal.contact.items.get", id=deal)
    assert links[0] == {"CONTACT_ID": 4, "SORT": 10, "ROLE_ID": 0, "IS_PRIMARY": "Y"}
    assert call("crm.deal.contact.add", id=deal, fields={"CONTACT_ID": 6}) is True
    assert call("crm.deal.contact.add", id=deal, fields={"CONTACT_ID": 6}) is False
    assert call("crm.item.get", entityTypeId=DEAL, id=deal)["item"]["contactIds"] == [4, 5, 6]
    items = [{"CONTACT_ID": 8, "SORT": 20}, {"CONTACT_ID": 7, "SORT": 10}]
    assert call("crm.deal.contact.items.set", id=deal, items=items) is True
    assert call("crm.deal.get", id=deal)["CONTACT_ID"] == "7", "the first is primary when none is marked"
    assert call("crm.deal.contact.delete", id=deal, fields={"CONTACT_ID": 7}) is True
    assert call("crm.deal.contact.delete", id=deal, fields={"CONTACT_ID": 7}) is False
    assert call("crm.deal.contact.items.delete", id=deal) is True
    assert call("crm.deal.contact.items.get", id=deal) == []
    text = call.whole("crm.deal.contact.items.get")["error_description"]
    assert text == "The parameter ownerEntityID is invalid or not defined."


def test_product_rows_are_replaced_and_summed(call):
    deal = call("crm.deal.add", fields={})
    rows = [
        {"PRODUCT_ID": 0, "PRODUCT_NAME": "A", "PRICE": 10.5, "QUANTITY": 2},
        {"PRODUCT_NAME": "B", "PRICE": 1},
    ]
    assert call("crm.deal.productrows.set", id=deal, rows=rows) is True
    assert call("crm.deal.get", id=deal)["OPPORTUNITY"] == "22.00"
    first, _ = call("crm.deal.productrows.get", id=deal)
    typed = (first["ID"], first["PRODUCT_ID"], first["PRICE"], first["PRICE_ACCOUNT"], first["TAX_RATE"])
    assert repr(typed) == repr(("1", 0, 10.5, "10.50", None))
    call("crm.deal.update", id=deal, fields={"IS_MANUAL_OPPORTUNITY": "Y", "OPPORTUNITY": 5})
    written = [{"productName": "C", "price": 7, "quantity": 1}]
    answer = call("crm.item.productrow.set", ownerType="D", ownerId=deal, productRows=written)
    assert [(row["productName"], row["price"]) for row in answer["productRows"]] == [("C", 7)]
    assert call("crm.deal.get", id=deal)["OPPORTUNITY"] == "5.00", "set by hand, it stays"
    wanted = {"=ownerType": "D", "=ownerId": deal}
    assert len(call("crm.item.productrow.list", filter=wanted)["productRows"]) == 1
    assert call.error("crm.item.productrow.list", filter={"ownerId": deal}) == (400, "OWNER_NOT_FOUND")


def test_single_product_rows(call):
    deal = call("crm.deal.add", fields={})
    call.control("products", rows=[{"ID": 9, "NAME": "Из каталога"}])
    fields = {"ownerType": "D", "ownerId": deal, "productId": 9, "productName": "x", "price": 3}
    row = call("crm.item.productrow.add", fields=fields)["productRow"]
    assert row["productName"] == "Из каталога"
    row = call("crm.item.productrow.update", id=row["id"], fields={"quantity": 4})["productRow"]
    assert (row["quantity"], call("crm.deal.get", id=deal)["OPPORTUNITY"]) == (4, "12.00")
    assert call("crm.item.productrow.delete", id=row["id"]) is None
    assert call.error("crm.item.productrow.get", id=row["id"])[0] == 400


@pytest.mark.parametrize(
    "discount",
    [{"DISCOUNT_TYPE_ID": 2}, {"DISCOUNT_TYPE_ID": 1}, {"DISCOUNT_TYPE_ID": 2, "DISCOUNT_RATE": 100}],
)
def test_discount_rules(call, discount):
    deal = call("crm.deal.add", fields={})
    envelope = call.whole("crm.deal.productrows.set", id=deal, rows=[{"PRICE": 1, **discount}])
    assert (call.status, envelope["error"]) == (400, "ERROR_CORE")
    assert envelope["error_description"].endswith("<br>")


def test_comments(call):
    call("crm.deal.add", fields={})
    text = "[B]x[/B] " + "😀" * 50_000
    made = call("crm.timeline.comment.add", fields={"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": text})
    comment = call("crm.timeline.comment.get", id=made)
    assert (comment["ID"], comment["COMMENT"], comment["AUTHOR_ID"]) == (str(made), text, "1")
    assert "FILES" not in comment
    assert call("crm.timeline.comment.update", id=made, fields={"COMMENT": "y"}) == made
    whole = call.whole("crm.timeline.comment.list", filter={"ENTITY_ID": 1, "ENTITY_TYPE": "deal"})
    assert (whole["total"], whole["result"][0]["COMMENT"]) == (1, "y")
    assert call("crm.timeline.comment.delete", id=made) is None
    assert call.error("crm.timeline.comment.get", id=made) == (400, "NOT_FOUND")


def test_only_lower_case_fields_are_read_by_comments(call):
    call("crm.deal.add", fields={})
    fields = {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "c"}
    assert call.error("crm.timeline.comment.add", FIELDS=fields) == (400, "100")
    assert call.error("crm.timeline.comment.add", fields=fields | {"COMMENT": ""}) == (
        400,
        "INVALID_ARG_VALUE",
    )
    assert call.error("crm.timeline.comment.add", fields=fields | {"ENTITY_ID": 9}) == (
        400,
        "OWNER_NOT_FOUND",
    )
    assert call.error("crm.timeline.comment.list", filter={"ENTITY_ID": 1}) == (400, "")


def test_files_of_comments_are_on_the_disk(call):
    call("crm.deal.add", fields={})
    fields = {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "c", "FILES": [["план.png", packed(b"123")]]}
    made = call("crm.timeline.comment.add", fields=fields)
    ((file_id, shown),) = call("crm.timeline.comment.get", id=made)["FILES"].items()
    assert (str(shown["id"]), shown["name"], shown["size"], shown["type"]) == (
        file_id,
        "план.png",
        3,
        "image",
    )
    stored = call("disk.file.get", id=file_id)
    assert (stored["ID"], stored["SIZE"]) == (file_id, "3")
    assert "/rest/1/demo0code/" in stored["DOWNLOAD_URL"], "the link carries the secret"
    answer = requests.get(stored["DOWNLOAD_URL"], headers=BROWSER, timeout=5)
    assert answer.content == b"123"
    assert "%D0%BF%D0%BB%D0%B0%D0%BD.png" in answer.headers["Content-Disposition"]
    call("crm.timeline.comment.update", id=made, fields={"COMMENT": "c", "FILES": []})
    assert "FILES" not in call("crm.timeline.comment.get", id=made)
    assert call.emulator.comments(1)[0]["FILES"] == []


def test_a_file_of_a_field_goes_round(call):
    content = bytes(range(256)) * 20_000
    item = call("crm.item.add", fields={FILE: ["акт.bin", packed(content)]}, **ITEM)["item"]
    link = item[FILE]["urlMachine"]
    assert "/rest/1/demo0code/" in link
    answer = requests.get(link, headers=BROWSER, timeout=20)
    assert answer.content == content
    assert "filename*=utf-8''%D0%B0%D0%BA%D1%82.bin" in answer.headers["Content-Disposition"]
    legacy = call("crm.deal.get", id=item["id"])[FILE]
    assert legacy["id"] == item[FILE]["id"]
    assert legacy["downloadUrl"].startswith("/bitrix/components/")
    assert "auth=&" in legacy["downloadUrl"], "with a webhook the old link leads nowhere"
    assert call.error("disk.file.get", id=legacy["id"]) == (400, "ERROR_NOT_FOUND")


@pytest.mark.parametrize("missing", BROWSER)
def test_a_download_must_look_like_a_browser(call, missing):
    item = call("crm.item.add", fields={FILE: ["a.txt", packed(b"1")]}, **ITEM)["item"]
    headers = {name: None if name == missing else value for name, value in BROWSER.items()}
    if missing == "User-Agent":
        headers["User-Agent"] = ""
    answer = requests.get(item[FILE]["urlMachine"], headers=headers, timeout=5)
    assert answer.status_code == 404
    assert b"nginx" in answer.content


def ids(item):
    return [one["id"] for one in item[FILES]]


def test_writing_files_destroys(call):
    pair = [["a.txt", packed(b"a")], ["b.txt", packed(b"b")]]
    item = call("crm.item.add", fields={FILES: pair}, **ITEM)["item"]
    first, second = ids(item)
    fields = {FILES: [{"id": second}, ["c.txt", packed(b"c")]]}
    item = call("crm.item.update", id=item["id"], fields=fields, **ITEM)["item"]
    assert ids(item) == [second, second + 1], "what is not listed is lost"
    item = call("crm.item.update", id=item["id"], fields={FILES: [{"id": first}]}, **ITEM)["item"]
    assert ids(item) == [], "a foreign ID wipes the field"
    call("crm.deal.update", id=item["id"], fields={FILES: [{"fileData": pair[0]}, {"fileData": pair[1]}]})
    kept = call("crm.deal.get", id=item["id"])[FILES]
    call("crm.deal.update", id=item["id"], fields={FILES: [{"id": kept[0]["id"]}, {"fileData": pair[0]}]})
    assert len(call("crm.deal.get", id=item["id"])[FILES]) == 1, "the old method cannot keep a file"
    item = call("crm.item.update", id=item["id"], fields={FILES: []}, **ITEM)["item"]
    assert ids(item) == []


def test_a_single_file_is_removed_and_wrong_shapes_are_no_error(call):
    deal = call("crm.deal.add", fields={FILE: {"fileData": ["a.txt", packed(b"a")]}})
    kept = call("crm.deal.get", id=deal)[FILE]
    call("crm.deal.update", id=deal, fields={FILE: "a.txt"})
    assert call("crm.deal.get", id=deal)[FILE] == kept
    call("crm.deal.update", id=deal, fields={FILE: {"id": kept["id"], "remove": "Y"}})
    assert FILE not in call("crm.deal.get", id=deal)
    call("crm.deal.update", id=deal, fields={FILE: {"fileData": ["broken.txt", "%%%not base64"]}})
    assert call.emulator.deals()[0][FILE][0]["name"] == "broken.txt"


def test_funnels_and_stages(call):
    funnels = call("crm.category.list", entityTypeId=DEAL)["categories"]
    assert [(one["id"], one["isDefault"]) for one in funnels] == [(0, "Y"), (2, "N"), (25, "N")]
    assert "originId" not in funnels[0]
    assert "originId" in funnels[1]
    stages = call("crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE_2"})
    assert [row["STATUS_ID"] for row in stages][:3] == ["C2:NEW", "C2:PREPARATION", "C2:UC_MXQPC8"]
    assert isinstance(stages[0]["SORT"], str)
    assert {row["STATUS_ID"]: row["SEMANTICS"] for row in stages}["C2:LOSE"] == "F"
    assert stages[0]["EXTRA"]["SEMANTICS"] == "process"
    assert [row["ID"] for row in call("crm.dealcategory.list")] == ["2", "25"]
    assert call("crm.dealcategory.stage.list", id=25)[0]["STATUS_ID"] == "C25:NEW"
    assert call("crm.dealcategory.status", id=25) == "DEAL_STAGE_25"
    assert call("crm.dealcategory.default.get")["ID"] == "0"
    call.control("categories", rows=[{"ID": 40, "NAME": "Новая", "STAGES": [{"CODE": "NEW"}]}])
    assert call("crm.deal.get", id=call("crm.deal.add", fields={"CATEGORY_ID": 40}))["STAGE_ID"] == "C40:NEW"


def test_currencies(call):
    assert call("crm.currency.base.get") == "RUB"
    assert len(call("crm.currency.list")) == 4


def test_a_company_may_be_imported_with_its_own_times(call):
    moment = "2020-01-01T10:00:00+03:00"
    fields = {"TITLE": "A", "DATE_CREATE": moment}
    plain = call("crm.company.add", fields=fields)
    own = call("crm.company.add", fields=fields, params={"IMPORT": "Y"})
    assert call("crm.company.get", id=plain)["DATE_CREATE"] != moment
    assert call("crm.company.get", id=own)["DATE_CREATE"] == moment
