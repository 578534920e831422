"""Idempotency-Key: the same request is done once, and answered alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync.messaging import users
from sync.models import CoreUser, IdempotentResponse
from tests.api.users.conftest import BOTH, IVAN, Caller, issue, messages, refused

pytestmark = pytest.mark.django_db
KEY = "7f3b1c1e-0d7b-4a52-9d3e-5a0f6f3f7c11"


def test_a_user_is_made_once(api: Caller) -> None:
    first, *others = [api("POST", "/users", IVAN, Idempotency_Key=KEY) for _ in range(3)]
    assert "Idempotency-Replayed" not in first.headers
    for answer in others:
        assert (answer.status_code, answer.json()) == (201, first.json())
        assert answer.headers["Idempotency-Replayed"] == "true"
    assert CoreUser.objects.count() == len(messages()) == 1


def test_the_first_answer_comes_again_whatever_happened_since(api: Caller) -> None:
    first = api("POST", "/users", IVAN, Idempotency_Key=KEY)
    user_id = first.json()["id"]
    api("PATCH", f"/users/{user_id}", {"stage": "WON"})
    assert api("POST", "/users", IVAN, Idempotency_Key=KEY).json() == first.json()
    assert CoreUser.objects.get().stage == "WON"


def test_to_repeat_an_answer_costs_no_write(api: Caller) -> None:
    api("POST", "/users", IVAN, Idempotency_Key=KEY)
    with CaptureQueriesContext(connection) as queries:
        api("POST", "/users", IVAN, Idempotency_Key=KEY)
    assert [one["sql"].partition(" ")[0] for one in queries.captured_queries] == ["SELECT"]


@pytest.mark.parametrize(
    ("method", "end", "body", "count"),
    [("PATCH", "", {"stage": "A"}, 2), ("POST", "/move", {"stage": "A"}, 2), ("PATCH", "", {}, 1)],
)
def test_changes_and_moves_are_done_once(api: Caller, method: str, end: str, body: Any, count: int) -> None:
    address = f"/users/{api.make()['id']}{end}"
    answers = [api(method, address, body, Idempotency_Key=KEY) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert ["Idempotency-Replayed" in one.headers for one in answers] == [False, True]
    assert len(messages()) == count


def test_another_request_with_the_same_key_is_refused(api: Caller) -> None:
    user_id = api("POST", "/users", IVAN, Idempotency_Key=KEY).json()["id"]
    for method, path, body in (
        ("POST", "/users", {**IVAN, "full_name": "Другой"}),
        ("PATCH", f"/users/{user_id}", IVAN),
        ("POST", f"/users/{user_id}/move", {"stage": "NEW"}),
    ):
        answer = api(method, path, body, Idempotency_Key=KEY)
        refused(answer, 422, "idempotency_key_reused")
    assert CoreUser.objects.count() == len(messages()) == 1


def test_a_slash_makes_no_other_request(api: Caller) -> None:
    answers = [api("POST", path, IVAN, Idempotency_Key=KEY) for path in ("/users", "/users/")]
    assert answers[0].json() == answers[1].json()


def test_keys_belong_to_their_caller(api: Caller) -> None:
    other = Caller(issue(*BOTH))
    made = {caller("POST", "/users", IVAN, Idempotency_Key=KEY).json()["id"] for caller in (api, other)}
    assert len(made) == 2


@pytest.mark.parametrize("key", ["a", "A", "~" * 255, "!"])
def test_keys_that_differ_in_capitals_differ(api: Caller, key: str) -> None:
    api("POST", "/users", IVAN, Idempotency_Key="b")
    assert api("POST", "/users", IVAN, Idempotency_Key=key.swapcase()).status_code == 201
    if key.swapcase() != key:
        answer = api("POST", "/users", IVAN, Idempotency_Key=key)
        assert "Idempotency-Replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", " ", "a b", "ключ", "a" * 256, "a\x7f", "é"])
def test_a_key_that_is_none(api: Caller, key: str) -> None:
    error = refused(api("POST", "/users", IVAN, Idempotency_Key=key), 400, "invalid_fields")
    assert list(error["fields"]) == ["Idempotency-Key"]
    assert CoreUser.objects.count() == 0


def test_a_request_that_was_refused_may_come_again(api: Caller) -> None:
    assert api("POST", "/users", {**IVAN, "phone": "1"}, Idempotency_Key=KEY).status_code == 400
    assert api("PATCH", "/users/7", {"stage": "A"}, Idempotency_Key=KEY).status_code == 404
    assert api("POST", "/users", IVAN, Idempotency_Key=KEY).status_code == 201


def test_without_a_key_each_request_is_another(api: Caller) -> None:
    assert api.make()["id"] != api.make()["id"]
    assert IdempotentResponse.objects.count() == 0


def test_answers_are_forgotten_after_a_day(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "PRUNED_AT_ONCE", 2)
    now = timezone.now()
    for number in range(5):
        api("POST", "/users", IVAN, Idempotency_Key=f"old{number}")
    IdempotentResponse.objects.update(created_at=now - timedelta(hours=24, seconds=1))
    api("POST", "/users", IVAN, Idempotency_Key="young")
    young = IdempotentResponse.objects.order_by("id").last()
    IdempotentResponse.objects.filter(pk=young.pk).update(created_at=now - timedelta(hours=23, minutes=59))
    assert users.prune_idempotent_responses(now) == 5
    assert IdempotentResponse.objects.count() == 1
    assert users.prune_idempotent_responses(now) == 0
    answer = api("POST", "/users", IVAN, Idempotency_Key="old0")
    assert "Idempotency-Replayed" not in answer.headers
