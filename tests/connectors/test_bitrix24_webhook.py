"""Webhooks in every shape in which portals, robots and people send them."""

import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.connectors.bitrix24.webhook import Payload, parse
from sync.connectors.types import IncomingEvent

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def form(text: str, content_type: str = FORM) -> Payload:
    return parse("", content_type, text.encode())


def as_json(value: object) -> Payload:
    return parse("", JSON, json.dumps(value).encode())


def multipart(fields: dict[str, str]) -> Payload:
    lines = [
        f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join(lines) + "--xyz--\r\n"
    return parse("", "multipart/form-data; boundary=xyz", body.encode())


EVENT = (
    "event=ONCRMDEALUPDATE&event_handler_id=975&data[FIELDS][ID]=7405&ts=1766047124"
    "&auth[domain]=some.bitrix24.ru&auth[client_endpoint]=https://some.bitrix24.ru/rest/"
    "&auth[server_endpoint]=https://oauth.bitrix24.tech/rest/&auth[member_id]=abc&auth[application_token]=s3cret"
)
ROBOT = (
    "document_id[0]=crm&document_id[1]=CCrmDocumentDeal&document_id[2]=DEAL_123&auth[domain]=x.bitrix24.ru"
)


@pytest.mark.parametrize(
    "body", [EVENT, quote(EVENT, safe="=&"), EVENT.replace("[", "%5b").replace("]", "%5d")]
)
def test_an_outgoing_webhook(body: str) -> None:
    payload = form(body)
    assert payload.incoming_event() == IncomingEvent(
        "deal", "update", "7405", own_id="7405", sent_at="1766047124"
    )
    assert payload.tokens == ["s3cret"]
    assert payload.public == {
        "event": "ONCRMDEALUPDATE",
        "event_handler_id": "975",
        "data": {"FIELDS": {"ID": "7405"}},
        "ts": "1766047124",
        "auth": {
            "domain": "some.bitrix24.ru",
            "client_endpoint": "https://some.bitrix24.ru/rest/",
            "server_endpoint": "https://oauth.bitrix24.tech/rest/",
            "member_id": "abc",
        },
    }


@pytest.mark.parametrize(
    ("body", "entity", "action", "record_id"),
    [
        ("event=ONCRMDEALADD&data[FIELDS][ID]=5", "deal", "add", "5"),
        ("event=ONCRMDEALDELETE&data[FIELDS][ID]=5", "deal", "delete", "5"),
        ("event=ONCRMDEALMOVETOCATEGORY&data[FIELDS][ID]=5&data[FIELDS][STAGE_ID]=C1:NEW", "deal", "update", "5"),  # noqa: E501
        ("event=ONCRMLEADADD&data[FIELDS][ID]=5", "lead", "add", "5"),
        ("event=ONCRMCONTACTUPDATE&data[FIELDS][ID]=5", "contact", "update", "5"),
        ("event=ONCRMCOMPANYUPDATE&data[FIELDS][ID]=5", "company", "update", "5"),
        ("event=ONCRMTIMELINECOMMENTADD&data[FIELDS][ID]=999", "comment", "add", "999"),
        ("event=onCrmTimelineCommentAdd&data[ID]=999", "comment", "add", "999"),
        ("event=onCrmTimelineCommentDelete&data[ID]=999", "comment", "delete", "999"),
        ("event=ONCRMDYNAMICITEMUPDATE&data[FIELDS][ID]=24&data[FIELDS][ENTITY_TYPE_ID]=1220", "dynamic_1220", "update", "24"),  # noqa: E501
        ("event=ONCRMDYNAMICITEMADD_147&data[FIELDS][ID]=24", "dynamic_147", "add", "24"),
        ("event=ONTASKADD&data[FIELDS_AFTER][ID]=24&ID=24", "ontaskadd", "", "24"),
        (ROBOT, "deal", "", "123"),
        ("document_id[2]=LEAD_5", "lead", "", "5"),
        ("document_id[2]=DYNAMIC_147_1", "dynamic_147", "", "1"),
        ("document_id[2]=SMART_INVOICE_7", "smart_invoice", "", "7"),
        ("document_id=DEAL_5", "deal", "", "5"),
        ("document_id[]=crm&document_id[]=CCrmDocumentDeal&document_id[]=DEAL_9", "deal", "", "9"),
        ("ID=5", "deal", "", "5"),
        ("id=5", "deal", "", "5"),
        ("deal_id=5", "deal", "", "5"),
        ("deal_id=%20007%0A", "deal", "", "7"),
    ],
)  # fmt: skip
def test_whom_it_is_about(body: str, entity: str, action: str, record_id: str) -> None:
    for payload in (form(body), parse(body, "", b""), parse(body, FORM, b"")):
        notice = payload.incoming_event()
        assert (notice.entity, notice.action, notice.record_id) == (entity, action, record_id)


@pytest.mark.parametrize(
    ("body", "record_id", "origin_id", "own_id"),
    [
        ("ORIGIN_ID=1&ID=2&id=3&deal_id=4&data[FIELDS][ID]=5&document_id[2]=DEAL_6", "1", "1", "2"),
        ("ID=2&id=3&deal_id=4&data[FIELDS][ID]=5&document_id[2]=DEAL_6", "2", "", "2"),
        ("id=3&deal_id=4&data[FIELDS][ID]=5&document_id[2]=DEAL_6", "3", "", "3"),
        ("deal_id=4&data[FIELDS][ID]=5&document_id[2]=DEAL_6", "4", "", "4"),
        ("data[FIELDS][ID]=5&document_id[2]=DEAL_6", "5", "", "5"),
        ("ORIGIN_ID=1", "1", "1", ""),
        ("ORIGIN_ID=&ID=2", "2", "", "2"),
        ("ORIGIN_ID=1&document_id[2]=DEAL_6", "1", "1", "6"),
    ],
)
def test_which_id_wins(body: str, record_id: str, origin_id: str, own_id: str) -> None:
    notice = form(body).incoming_event()
    assert (notice.record_id, notice.origin_id, notice.own_id) == (record_id, origin_id, own_id)


@pytest.mark.parametrize(
    "payload",
    [
        as_json({"ID": 5, "segment": "дизайнер"}),
        as_json({"data": {"FIELDS": {"ID": "5"}}, "segment": "дизайнер"}),
        as_json({"data[FIELDS][ID]": 5, "segment": "дизайнер"}),
        as_json({"document_id": ["crm", "CCrmDocumentDeal", "DEAL_5"], "segment": "дизайнер"}),
        parse("", "text/plain", '{"ID": "5", "segment": "дизайнер"}'.encode()),
        parse("", FORM, ' {"ID": "5", "segment": "дизайнер"}'.encode()),
        parse("", JSON, '\ufeff{"ID": "5", "segment": "дизайнер"}'.encode()),
        parse("segment=%D0%B4%D0%B8%D0%B7%D0%B0%D0%B9%D0%BD%D0%B5%D1%80", JSON, b'{"ID": "5"}'),
        parse("", f"{FORM}; charset=windows-1251", "ID=5&segment=дизайнер".encode("cp1251")),
        multipart({"data[FIELDS][ID]": "5", "segment": "дизайнер"}),
    ],
)
def test_every_way_of_sending_says_the_same(payload: Payload) -> None:
    notice = payload.incoming_event()
    assert notice.record_id == "5"
    assert notice.params == {"segment": "дизайнер"}


def test_the_body_wins_over_the_query() -> None:
    payload = parse("ID=1&segment=a&comments=q&token=q", FORM, b"ID=2&segment=b")
    assert payload.incoming_event().record_id == "2"
    assert payload.incoming_event().params == {"segment": "b", "comments": "q"}
    assert payload.tokens == ["q"]


def test_technical_and_empty_parameters_never_travel() -> None:
    body = (
        "ID=5&ORIGIN_ID=6&id=7&deal_id=8&user_id=1&USER_ID=1&token=t&event=&event_handler_id=1&ts=2&auth[x]=1"
        "&data[a]=1&document_id[0]=crm&document_type[0]=crm&access_token=q&api_key=k&segment=&article=%20"
        "&manager_name=%D0%98%D0%B2%D0%B0%D0%BD&target_stage=C2:NEW&extra[a][b]=1"
    )
    assert form(body).incoming_event().params == {
        "manager_name": "Иван",
        "target_stage": "C2:NEW",
        "extra[a][b]": "1",
    }


def test_secrets_are_not_public() -> None:
    secret = "Zq9s3cret"
    everywhere = {
        "ID": 5,
        "token": secret,
        "auth": {"access_token": secret, "refresh_token": secret, "application_token": secret, "domain": "x"},
        "list": [{"application_token": secret}],
        "deep": {"client_secret": secret, "kept": "yes"},
    }
    payload = as_json(everywhere)
    assert secret not in json.dumps(payload.public)
    assert secret not in repr(payload.incoming_event())
    assert payload.public["deep"] == {"kept": "yes"}
    assert payload.tokens == [secret, secret]


LONG = "Длинный комментарий 😀👨‍👩‍👧 & = + % \r\n\t\"'<b> $result[a] \u2028" * 2800


def test_a_200_kilobyte_comment_stays_byte_for_byte() -> None:
    assert len(LONG.encode()) > 200_000
    for payload in (
        form(urlencode({"ID": "5", "comments": LONG})),
        as_json({"ID": 5, "comments": LONG}),
        multipart({"ID": "5", "comments": LONG}),
    ):
        assert payload.incoming_event().params["comments"] == LONG
        assert payload.public["comments"] == LONG


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(str.strip))
def test_any_text_stays_as_it_was(text: str) -> None:
    assert form(urlencode({"ID": "5", "comments": text})).incoming_event().params["comments"] == text
    assert as_json({"ID": 5, "comments": text}).incoming_event().params["comments"] == text
