"""What a job carries: written by one version, read by the next. Pure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.flows.deals.comments.data import CommentData
from sync.flows.deals.data import DealData, Party
from sync.flows.deals.feedback import FeedbackData
from sync.flows.parcel import StoredData

IVAN = {"NAME": "Иван", "PHONE": [{"VALUE": "+7 999", "VALUE_TYPE": "WORK"}]}
FILE = {"file_id": "901", "path": "crm.controller.item.getFile/?id=901"}
ROW = {"PRODUCT_NAME": "Ламинат", "PRICE": "100", "QUANTITY": "2"}

DEAL = DealData(
    fields={"TITLE": "Заказ"},
    files={"UF_CRM_1": [FILE]},
    lists=["UF_CRM_1"],
    file_ids={"UF_CRM_1": ["901"]},
    party_ids={"contact": ["7", "8"], "company": ["3"]},
    parties=[
        Party(entity="contact", id="7", target="70"),
        Party(entity="contact", id="8", fields=IVAN, is_new=True, asked=["PHONE"]),
        Party(entity="company", id="3"),
    ],
    products="read",
    read_rows=[ROW],
    rows=[ROW],
    title="Заказ",
    params={"segment": "дизайнер"},
    hash="abc",
    is_changed=True,
    is_written=True,
    is_staged=True,
)
COMMENT = CommentData(
    deal="1",
    card="10",
    text="Готово",
    at="2026-11-21T08:25:00+03:00",
    author_id="5",
    author="Анна",
    file_ids=["1", "2"],
    to_fetch=["2"],
    files=["1"],
    path="download/?id=2",
    is_new=True,
)

OF_THE_FIRST_VERSION: dict[str, Any] = {
    "products": "read",
    "parties": [
        {"entity": "contact", "id": "7", "target": "70"},
        {"entity": "contact", "id": "8", "target": "", "fields": IVAN, "is_new": True, "asked": ["PHONE"]},
        {"entity": "company", "id": "3"},
    ],
    "fields": {"TITLE": "Заказ"},
    "files": {"UF_CRM_1": [FILE]},
    "file_ids": {"UF_CRM_1": ["901"], "CONTACT_IDS": ["7", "8"], "COMPANY_ID": ["3"]},
    "lists": ["UF_CRM_1"],
    "title": "Заказ",
    "params": {"segment": "дизайнер"},
    "hash": "abc",
    "is_changed": True,
    "is_written": True,
    "is_staged": True,
    "read_rows": [ROW],
    "rows": [ROW],
}


@pytest.mark.parametrize(
    "data",
    [
        DEAL,
        DealData(),
        DealData(rows=[]),  # to be cleared
        DealData(is_changed=False),  # linked, and as it should be
        COMMENT,
        CommentData(),
        FeedbackData(record={"ID": "77", "TITLE": "Заказ"}),
        FeedbackData(),
    ],
    ids=lambda data: type(data).__name__,
)
def test_what_is_packed_comes_back_the_same(data: StoredData) -> None:
    assert type(data).unpack(json.loads(json.dumps(data.pack()))) == data


def test_what_has_its_default_is_not_stored() -> None:
    assert DealData(title="Заказ", rows=[]).pack() == {"title": "Заказ", "rows": []}
    assert Party(entity="company", id="3").pack() == {"entity": "company", "id": "3"}


def test_the_data_of_the_first_version_is_read() -> None:
    stored = json.dumps(OF_THE_FIRST_VERSION)
    content = json.loads(stored)
    assert DealData.unpack(content) == DEAL
    assert json.dumps(content) == stored, "what was stored is left alone"


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({}, DealData()),
        ({"is_staged": True}, DealData(is_staged=True)),
        (
            {
                "fields": {},
                "files": {},
                "file_ids": {},
                "lists": [],
                "title": "",
                "params": {},
                "hash": "abc",
            },
            DealData(hash="abc"),
        ),
        ({"file_ids": {"COMPANY_ID": ["3"]}}, DealData(party_ids={"company": ["3"]})),
        ({"hash": "abc", "of_a_later_version": 1}, DealData(hash="abc")),
    ],
)
def test_missing_and_unknown_keys_are_no_trouble(stored: dict[str, Any], expected: DealData) -> None:
    assert DealData.unpack(stored) == expected


def test_a_comment_of_which_only_the_deal_is_known_is_read() -> None:
    assert CommentData.unpack({"deal": "1"}) == CommentData(deal="1")


def test_two_contacts_here_that_are_one_there_are_named_once() -> None:
    parties = [Party(entity="contact", id=one, target="70") for one in ("7", "8")]
    deal = DealData(parties=[*parties, Party(entity="company", id="3", target="30")])
    assert deal.party_fields() == {"CONTACT_IDS": ["70"], "COMPANY_ID": "30"}


def test_a_deal_without_one_party_is_written_again_by_its_next_event() -> None:
    contact, company = Party(entity="contact", id="7"), Party(entity="company", id="3")
    deal = DealData(parties=[contact, company], party_ids={"contact": ["7"], "company": ["3"]}, hash="abc")
    deal.leave_out(contact)
    assert (deal.parties, deal.party_ids, deal.hash) == ([company], {"company": ["3"]}, "")


@pytest.mark.parametrize(
    ("party", "is_unread"),
    [
        (Party(entity="contact", id="7"), True),
        (Party(entity="contact", id="7", fields=IVAN), False),
        (Party(entity="contact", id="7", target="70"), False),
    ],
)
def test_the_source_is_asked_only_for_what_is_neither_read_nor_known(party: Party, is_unread: bool) -> None:
    assert party.is_unread is is_unread
    assert DealData(parties=[party]).unread("contact") == ([party] if is_unread else [])
    assert DealData(parties=[party]).unread("company") == []
    assert DealData(parties=[party]).unknown_party() == (None if party.target else party)
