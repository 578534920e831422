"""Packets of NestJS: what is one, what is none, and that nothing passes which could not be stored."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.connectors.rabbitmq.wire import MAX_BODY_BYTES, Malformed, Packet, decode, encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_an_event_is_written_as_nestjs_writes_it() -> None:
    data = {
        "action": "create_card",
        "user": {"id": 7, "full_name": "Анна «А» \\ 🙂", "phone": "+79161234567"},
    }
    assert (
        encode("user_created", data)
        == (
            '{"pattern":"user_created","data":{"action":"create_card","user":{"id":7,'
            '"full_name":"Анна «А» \\\\ 🙂","phone":"+79161234567"}}}'
        ).encode()
    )


@given(pattern=st.text(), data=VALUES)
def test_what_is_written_is_read_again(pattern: str, data: object) -> None:
    assert decode(encode(pattern, data)) == Packet(pattern, data)


def test_an_rpc_request_and_other_keys_are_read_as_an_event() -> None:
    body = b'{"pattern":"user_moved","data":{"a":1},"id":"3f1c","isDisposed":false}'
    assert decode(body) == Packet("user_moved", {"a": 1})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"\xff{}", "not UTF-8: byte 0"),
        (b'{"pattern":', "not JSON: Expecting value at character 11"),
        (b"[]", "a list, not an object"),
        (b'"text"', "a string, not an object"),
        (b"{}", "pattern is missing"),
        (b'{"pattern":{"cmd":"x"},"data":1}', "pattern is an object"),
        (b'{"pattern":"a","data":NaN}', "NaN is no number"),
        (b'{"pattern":"a","data":-Infinity}', "-Infinity is no number"),
        (b'{"pattern":"a","data":1e999}', "beyond all bounds"),
        (b'{"pattern":"a","data":"\\ud83d!"}', "half a character"),
        (b'{"pattern":"a","data":{"\\uDE00":1}}', "half a character"),
        (b'{"pattern":"a","data":' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"pattern":"a","data":' + b"[" * 20 + b"]" * 20 + b"}", "deep"),
        (b'"' + b"x" * MAX_BODY_BYTES + b'"', "are allowed"),
    ],
)
def test_what_is_no_packet_says_why(body: bytes, said: str) -> None:
    with pytest.raises(Malformed) as refused:
        decode(body)
    assert said in refused.value.reason


def test_a_whole_character_escaped_in_halves_is_read() -> None:
    assert decode(rb'{"pattern":"a","data":"\ud83d\ude42"}').data == "🙂"


@given(body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_packet_or_malformed(body: bytes) -> None:
    with suppress(Malformed):
        json.dumps(decode(body).data, allow_nan=False, ensure_ascii=False).encode()
