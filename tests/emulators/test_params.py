"""Parameters are read the way PHP reads them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.emulators.bitrix24.batch import php_array, substitute
from sandbox.emulators.bitrix24.names import camel
from sandbox.emulators.bitrix24.params import parse_body, parse_form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1&a=2", {"a": "2"}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[5]=x&a[]=y", {"a": {"5": "x", "6": "y"}}),
        ("filter[>ID]=5&select[]=ID", {"filter": {">ID": "5"}, "select": ["ID"]}),
        ("filter%5B%3E%3DDATE%5D=2024", {"filter": {">=DATE": "2024"}}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("a.b=1&c d=2", {"a_b": "1", "c_d": "2"}),
        ("a[b=1", {"a_b": "1"}),
        ("=1&&x", {"x": ""}),
        ("t=%F0%9F%98%80+x", {"t": "😀 x"}),
    ],
)
def test_form(text, expected):
    assert parse_form(text) == expected


def test_broken_json_means_no_parameters():
    assert parse_body("application/json", b'{"fields": {') == {}


def test_multipart():
    body = (
        b'--x\r\nContent-Disposition: form-data; name="fields[TITLE]"\r\n\r\n'
        b'\xd0\x90\r\n--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n5\r\n--x--\r\n'
    )
    assert parse_body("multipart/form-data; boundary=x", body) == {"fields": {"TITLE": "А"}, "id": "5"}


@settings(database=None)
@given(st.text())
def test_any_text_can_be_read(text):
    parse_form(text)


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ("ASSIGNED_BY_ID", "assignedById"),
        ("UTM_SOURCE", "utmSource"),
        ("BEGINDATE", "begindate"),
        ("UF_CRM_3_1747309727", "ufCrm3_1747309727"),
        ("UF_CRM_3_DIGIT", "ufCrm3Digit"),
        ("UF_CRM_3_DIGIT10", "ufCrm_3_DIGIT10"),
        ("UF_CRM_1747309879", "ufCrm_1747309879"),
    ],
)
def test_names(upper, lower):
    assert camel(upper) == lower


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"0": "a", "1": "b"}, ["a", "b"]),
        ({"0": "a", "2": "b"}, {"0": "a", "2": "b"}),
        ({"deal": 1}, {"deal": 1}),
    ],
)
def test_php_arrays(values, expected):
    assert php_array(values) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$result[a]", "7"),
        ("x-$result[a]-y", "x-7-y"),
        ("$result[list][1][ID]", "20"),
        ("$result[none]", "$result[none]"),
        ("$result[deal]", "$result[deal]"),
        ("$result[deal][TITLE][deeper]", "T"),
        ("$result[deal][empty]", "$result[deal][empty]"),
    ],
)
def test_earlier_results(text, expected):
    results = {"a": 7, "list": [{"ID": "10"}, {"ID": "20"}], "deal": {"TITLE": "T", "empty": None}}
    assert substitute(text, results) == expected
