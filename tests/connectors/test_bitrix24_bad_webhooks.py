"""What is no webhook: no ID, no body worth the name, bytes that are no body at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.connectors.bitrix24.webhook import Payload, parse
from sync.errors import WebhookRejected

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def form(text: str, content_type: str = FORM) -> Payload:
    return parse("", content_type, text.encode())


def as_json(value: object) -> Payload:
    return parse("", JSON, json.dumps(value).encode())


@pytest.mark.parametrize(
    ("payload", "code", "says"),
    [
        (form("segment=a"), "missing_id", "ORIGIN_ID, ID, id, deal_id, data[FIELDS][ID]"),
        (form("ID=&id=%20"), "missing_id", "ORIGIN_ID, ID, id, deal_id, data[FIELDS][ID]"),
        (parse("", "", b""), "missing_id", "document_id"),
        (form("ID=abc"), "invalid_id", "ID is not a number: 'abc'"),
        (form("ID={{ID}}"), "invalid_id", "{{ID}}"),
        (form("ID=-5"), "invalid_id", "-5"),
        (form("ID=0"), "invalid_id", "0"),
        (form("ID=5.5"), "invalid_id", "5.5"),
        (form("ID=%D9%A5"), "invalid_id", "٥"),
        (form("ID=" + "9" * 19), "invalid_id", "999"),
        (form("ORIGIN_ID=x&ID=5"), "invalid_id", "ORIGIN_ID"),
        (form("data[FIELDS][ID]=1;DROP"), "invalid_id", "data[FIELDS][ID]"),
        (form("document_id[2]=DEAL_x"), "invalid_id", "document_id[2]"),
        (as_json({"ID": True}), "invalid_id", "ID"),
    ],
)
def test_an_id_that_is_none(payload: Payload, code: str, says: str) -> None:
    with pytest.raises(WebhookRejected) as raised:
        payload.incoming_event()
    assert raised.value.code == code
    assert raised.value.status == 400
    assert says in raised.value.message


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        (JSON, b'{"ID": 5', "invalid_json"),
        (JSON, b"ID=5", "invalid_json"),
        (JSON, b"[5]", "invalid_json"),
        (JSON, b'{"ID": NaN}', "invalid_json"),
        (JSON, b'{"ID": ' + b"9" * 5000 + b"}", "invalid_json"),
        (FORM, b'{"ID": 5', "invalid_json"),
        (JSON, b'{"a":' * 5000 + b"1" + b"}" * 5000, "invalid_json"),
        (JSON, b'{"a":' * 20 + b"1" + b"}" * 20, "invalid_body"),
        (JSON, json.dumps({"a": list(range(5000))}).encode(), "invalid_body"),
        (FORM, b"a" + b"[x]" * 50 + b"=1", "invalid_body"),
        (FORM, b"&".join(b"a%d=1" % number for number in range(3000)), "invalid_body"),
    ],
)
def test_a_body_that_is_none(content_type: str, body: bytes, code: str) -> None:
    with pytest.raises(WebhookRejected) as raised:
        parse("", content_type, body)
    assert raised.value.code == code
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\nbroken"),
        ("multipart/form-data; boundary=", b"--x\r\nbroken"),
        (f"{FORM}; charset=klingon", b"segment=1"),
        ("\x00\xff/;;;", b"segment=1"),
        (FORM, b"[a]=1&a[=2&]=3&=4&a[b=5&%ff=%fe"),
        (FORM, b"a=1&a[b]=2&a[b][c]=3"),
    ],
)
def test_garbage_is_no_crash(content_type: str, body: bytes) -> None:
    with pytest.raises(WebhookRejected, match="No ID"):
        parse("", content_type, body).incoming_event()


@given(st.binary(max_size=200), st.sampled_from([JSON, FORM, "multipart/form-data; boundary=x", ""]))
def test_no_bytes_crash_it(body: bytes, content_type: str) -> None:
    try:
        parse("", content_type, body).incoming_event()
    except WebhookRejected as rejected:
        assert rejected.status == 400  # noqa: PT017


def test_what_no_database_can_hold_is_left_out() -> None:
    payload = parse("", JSON, b'{"ID": 5, "comments": "a\\u0000b\\ud800c", "n\\u0000": "\\ud83d\\ude00"}')
    assert payload.incoming_event().params == {"comments": "ab\ufffdc", "n": "😀"}
    json.dumps(payload.public, ensure_ascii=False).encode()
