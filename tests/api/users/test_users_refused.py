"""What is refused: the right status, one shape, a sentence in the caller's language, nothing stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from sync.models import CoreUser
from tests.api.users.conftest import IVAN, Caller, messages, refused

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def nothing_is_stored(api: Caller) -> Iterator[None]:
    """Whatever was refused left nothing behind."""
    yield
    assert CoreUser.objects.count() == len(messages()) == 0


@pytest.mark.parametrize("phone", [None, "", "   ", "missing"])
def test_a_user_without_a_phone(api: Caller, phone: Any) -> None:
    body = {**IVAN, "phone": phone}
    if phone == "missing":
        del body["phone"]
    error = refused(api("POST", "/users", body), 400, "invalid_fields")
    assert error["fields"] == {"phone": ["The phone is missing: without it no lead can be made."]}
    assert error["message"] == "phone: The phone is missing: without it no lead can be made."


@pytest.mark.parametrize(
    "phone", ["123", "+7 916 123", "phone", "1-800-FLOWERS", "+999 12345678", "00000000000", "+"]
)
def test_what_is_no_phone(api: Caller, phone: str) -> None:
    error = refused(api("POST", "/users", {**IVAN, "phone": phone}), 400, "invalid_fields")
    [sentence] = error["fields"]["phone"]
    assert sentence.startswith("This is not a phone number.")


def test_an_extension_is_not_dropped_in_silence(api: Caller) -> None:
    error = refused(api("POST", "/users", {**IVAN, "phone": "916 123-45-67 доб. 12"}), 400, "invalid_fields")
    assert "extension" in error["fields"]["phone"][0]


def test_numbers_of_another_country_need_its_code(api: Caller, settings: Any) -> None:
    settings.PHONE_REGION = "US"
    refused(api("POST", "/users", {**IVAN, "phone": "8 916 123-45-67"}), 400, "invalid_fields")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("ru", "Телефона нет: без него лид не создать."),
        ("en", "The phone is missing: without it no lead can be made."),
        ("de, en;q=0.5", "The phone is missing: without it no lead can be made."),
        ("ru-RU,ru;q=0.9,en;q=0.8", "Телефона нет: без него лид не создать."),
    ],
)
def test_sentences_speak_the_callers_language(api: Caller, language: str, sentence: str) -> None:
    answer = api("POST", "/users", {"full_name": "A"}, Accept_Language=language)
    assert refused(answer, 400, "invalid_fields")["fields"]["phone"] == [sentence]
    assert refused(api("GET", "/users/7", Accept_Language=language), 404, "unknown_user")["message"] in (
        "There is no user 7.",
        "Пользователя 7 нет.",
    )


def test_all_that_is_wrong_is_told_at_once(api: Caller) -> None:
    body = {"full_name": "x" * 201, "phnoe": "+79161234567", "id": 7, "stage": 5}
    error = refused(api("POST", "/users", body), 400, "invalid_fields")
    assert error["fields"].keys() == {"full_name", "phnoe", "id", "stage", "phone"}
    assert error["fields"]["phnoe"] == ["There is no such field here. There are: full_name, phone, stage."]


@pytest.mark.parametrize(
    "field",
    [
        {"full_name": ""},
        {"full_name": None},
        {"full_name": ["A"]},
        {"full_name": 5},
        {"full_name": True},
        {"full_name": "a\u0000b"},
        {"full_name": "a\nb"},
        {"stage": "NEW\t"},
        {"full_name": "\u0085\u001f"},
        {"full_name": "a\ud800b"},
        {"stage": None},
        {"stage": "x" * 51},
        {"phone": 79161234567},
    ],
)
def test_a_field_that_is_wrong(api: Caller, field: dict[str, Any]) -> None:
    error = refused(api("POST", "/users", {**IVAN, **field}), 400, "invalid_fields")
    assert error["fields"].keys() == field.keys()


@pytest.mark.parametrize(
    "body", [{}, {"stage": ""}, {"stage": None}, {"stage": "A", "phone": "+79161234567"}]
)
def test_a_move_names_a_stage_and_nothing_else(api: Caller, body: Any) -> None:
    refused(api("POST", "/users/1/move", body), 400, "invalid_fields")


@pytest.mark.parametrize(
    "body", [b" ", b"{", b"[1]", b'"a"', b"null", b'{"full_name": NaN}', b"\xff\xfe\x00", b"[" * 9999]
)
def test_what_is_no_json_object(api: Caller, body: bytes) -> None:
    headers = {"authorization": f"Bearer {api.key}", "accept-language": "en"}
    answer = Client().generic("POST", "/users", body, "application/json", headers=headers)
    refused(answer, 400, "invalid_json")


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "", "multipart/form-data", "application/xml"],
)
def test_anything_but_json(api: Caller, content_type: str) -> None:
    headers = {"authorization": f"Bearer {api.key}", "accept-language": "en"}
    answer = Client().generic("POST", "/users", json.dumps(IVAN), content_type, headers=headers)
    refused(answer, 415, "unsupported_media_type")


def test_too_large_a_body(api: Caller) -> None:
    answer = api("POST", "/users", {**IVAN, "full_name": "x" * MIB})
    assert str(MIB) in refused(answer, 413, "body_too_large")["message"]


@pytest.mark.parametrize("user_id", ["7", "0", "-1", "abc", "1.5", "١", "9" * 300, "%00"])
@pytest.mark.parametrize(
    ("method", "end", "body"),
    [("GET", "", None), ("PATCH", "", {"stage": "A"}), ("POST", "/move", {"stage": "A"})],
)
def test_nobody(api: Caller, user_id: str, method: str, end: str, body: Any) -> None:
    refused(api(method, f"/users/{user_id}{end}", body), 404, "unknown_user")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/users", "GET, POST, HEAD"),
        ("DELETE", "/users/1", "GET, PATCH, HEAD"),
        ("GET", "/users/1/move", "POST"),
        ("OPTIONS", "/users", "GET, POST, HEAD"),
    ],
)
def test_other_verbs(api: Caller, method: str, path: str, allowed: str) -> None:
    answer = api(method, path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png"])
def test_any_wish_for_an_answer_gets_json(api: Caller, accept: str) -> None:
    assert api("GET", "/users", Accept=accept).status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), [("GET", "/users", None), ("POST", "/users", IVAN)])
def test_a_database_that_is_away(api: Caller, method: str, path: str, body: Any) -> None:
    def away(*_: Any) -> None:
        raise OperationalError(2006, "Server has gone away")

    with connection.execute_wrapper(away):
        answer = api(method, path, body)
    refused(answer, 503, "database_away")
    assert int(answer.headers["Retry-After"]) > 0


def test_an_error_of_ours_tells_nothing_of_itself(
    api: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("sync.messaging.users.create", fail)
    answer = api("POST", "/users", IVAN)
    assert "secret detail" not in refused(answer, 500, "internal_error")["message"]
    assert "secret detail" in caplog.text
