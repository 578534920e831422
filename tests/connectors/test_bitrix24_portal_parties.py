"""Contacts, companies, product rows, comments and the portal itself, against an emulated portal."""

import pytest

from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.types import Command, File
from sync.errors import Refused
from tests.connectors.asking import ask, deal, new_deal


def test_contacts_and_companies(client: Bitrix24Client) -> None:
    phones = [{"VALUE": "+79990000000", "VALUE_TYPE": "WORK"}]
    contact = {"NAME": "Иван", "LAST_NAME": "Ы", "PHONE": phones, "ORIGINATOR_ID": "bus", "ORIGIN_ID": "5"}
    contact_id = crm.read_added(ask(client, crm.contact_add(contact)))
    company_id = crm.read_added(ask(client, crm.company_add({"TITLE": "ООО", "INDUSTRY": "IT"})))
    kept = crm.read_contacts(ask(client, crm.contacts_by_ids([contact_id])))[contact_id]
    assert (kept["NAME"], kept["PHONE"][0]["VALUE"]) == ("Иван", "+79990000000")
    company = crm.read_companies(ask(client, crm.companies_by_ids([company_id])))[company_id]
    assert (company["TITLE"], company["INDUSTRY"]) == ("ООО", "IT")
    assert crm.read_origins(ask(client, crm.contacts_by_origin("bus", ["5"]))) == {"5": [contact_id]}
    found = ask(client, crm.duplicates_by("PHONE", ["+79990000000"], entity="CONTACT"))
    assert crm.read_duplicates(found) == {"CONTACT": [contact_id]}
    nothing = ask(client, crm.duplicates_by("EMAIL", ["no@body.ru"], entity="CONTACT"))
    assert crm.read_duplicates(nothing) == {}
    deal_id = new_deal(client, COMPANY_ID=company_id, CONTACT_IDS=[contact_id])
    assert deal(client, deal_id)["CONTACT_IDS"] == [contact_id]


def test_product_rows(client: Bitrix24Client) -> None:
    rows = [{"productId": "0", "productName": "Винил", "price": "10.5", "quantity": "2"}]
    deal_id = new_deal(client)
    ask(client, crm.product_rows_set(deal_id, rows))
    kept = crm.read_product_rows(ask(client, crm.product_rows_of(deal_id)))
    assert [(row["productName"], row["price"], row["quantity"]) for row in kept] == [("Винил", "10.5", "2")]
    copy = new_deal(client)
    ask(client, crm.product_rows_set(copy, kept))
    assert crm.read_product_rows(ask(client, crm.product_rows_of(copy))) == kept
    ask(client, crm.product_rows_set(copy, []))
    assert crm.read_product_rows(ask(client, crm.product_rows_of(copy))) == []


def test_comments_with_files_and_pages(client: Bitrix24Client) -> None:
    deal_id = new_deal(client)
    comment_id = crm.read_added(
        ask(client, crm.comment_add(deal_id, "с файлом", files=[File("a.txt", b"1")]))
    )
    comment = crm.read_comment(ask(client, crm.comment_by_id(comment_id)))
    assert (comment.deal_id, comment.text, comment.entity) == (deal_id, "с файлом", "deal")
    path = crm.read_disk_path(ask(client, crm.disk_file(comment.file_ids[0])))
    assert ask(client, crm.download(path, max_bytes=100)) == File("a.txt", b"1")
    client.execute({str(number): crm.comment_add(deal_id, f"c{number}") for number in range(50)})
    ask(client, crm.comment_add(deal_id, "last"))
    answer = client.execute({"a": crm.comments_of(deal_id)}).answers["a"]
    comments = crm.read_comments(answer.result())
    assert answer.next_start == 50
    comments += crm.read_comments(ask(client, crm.comments_of(deal_id, start=answer.next_start)))
    assert len({one.id for one in comments}) == 52
    ask(client, crm.comment_update(comment_id, "иначе"))
    assert crm.read_comment(ask(client, crm.comment_by_id(comment_id))).text == "иначе"
    ask(client, Command("crm.timeline.comment.delete", {"id": comment_id}))
    with pytest.raises(Refused):
        ask(client, crm.comment_by_id(comment_id))


def test_the_portal_itself(client: Bitrix24Client) -> None:
    assert crm.read_profile(ask(client, crm.who_am_i())).user_id == "1"
    assert "crm" in ask(client, crm.scopes())
    assert crm.read_method(ask(client, crm.method_exists("crm.item.list"))) == (True, True)
    assert crm.read_method(ask(client, crm.method_exists("no.such.method")))[0] is False
    fields = crm.read_fields(ask(client, crm.deal_fields()))
    assert fields["OPPORTUNITY"].type == "double"
    assert fields["DATE_CREATE"].is_read_only
    assert fields["UF_CRM_1773568798364"].items
    assert fields["UF_CRM_1773600000002"].is_multiple
    assert "0" in crm.read_funnels(ask(client, crm.deal_funnels()))
    assert "NEW" in crm.read_stages(ask(client, crm.deal_stages()))


def test_names_agree_with_what_the_portal_says(client: Bitrix24Client) -> None:
    message = ask(client, crm.deal_fields())["fields"]
    known_otherwise = {"createdTime", "updatedTime", "createdBy", "updatedBy", "movedBy"}
    for name in message.keys() - known_otherwise:
        assert crm.upper_name(name) == message[name]["upperName"]
        assert crm.item_name(message[name]["upperName"]) in (name, message[name]["upperName"])
    for name in known_otherwise:
        assert crm.item_name(crm.upper_name(name)) == crm.item_name(message[name]["upperName"]) == name
