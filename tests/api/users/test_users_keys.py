"""Keys: who gets in, who may do what, and what a look at them costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync.api.users import api_keys
from sync.models import ApiKey
from tests.api.users.conftest import BOTH, IVAN, Caller, Clock, issue, refused

pytestmark = pytest.mark.django_db
EVERYWHERE = [
    ("GET", "/users", None), ("POST", "/users", IVAN), ("GET", "/users/1", None),
    ("PATCH", "/users/1", {"stage": "A"}), ("POST", "/users/1/move", {"stage": "A"}),
]  # fmt: skip


def test_a_key_is_given_as_bearer_or_in_a_header_of_its_own(api: Caller) -> None:
    for headers in (
        {"authorization": f"Bearer {api.key}"},
        {"authorization": f"bearer  {api.key} "},
        {"x-api-key": api.key},
        {"x-api-key": api.key, "authorization": "Basic dXNlcjpwYXNz"},
    ):
        assert Client().get("/users", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic dXNlcjpwYXNz"},
        {"authorization": "Bearer b24i_wrong"},
        {"authorization": "Bearer \xff\xfe"},
        {"x-api-key": "wrong"},
        {"x-api-key": " "},
    ],
)
@pytest.mark.parametrize(("method", "path", "body"), EVERYWHERE)
def test_without_a_key_nobody_gets_in(method: str, path: str, body: Any, headers: dict[str, str]) -> None:
    answer = Client().generic(method, path, b"{}", "application/json", headers=headers)
    refused(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_digest_is_no_key(api: Caller) -> None:
    refused(Caller(ApiKey.objects.get().digest)("GET", "/users"), 401, "unauthorized")


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() + timedelta(days=1), "revoked_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_expired_and_revoked_keys_are_no_keys(fields: dict[str, Any]) -> None:
    refused(Caller(issue(*BOTH, **fields))("GET", "/users"), 401, "unauthorized")


def test_a_revoked_key_is_believed_for_a_second_at_most(clock: Clock) -> None:
    caller = Caller(issue(*BOTH))
    assert caller("GET", "/users").status_code == 200
    assert ApiKey.objects.get().revoke()
    assert not ApiKey.objects.get().revoke()
    assert caller("GET", "/users").status_code == 200
    clock.seconds += 1
    refused(caller("GET", "/users"), 401, "unauthorized")


def test_a_key_that_expires_is_not_believed_a_moment_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(issue(*BOTH, expires_at=timezone.now() + timedelta(hours=1)))
    assert caller("GET", "/users").status_code == 200
    monkeypatch.setattr(api_keys.timezone, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
    refused(caller("GET", "/users"), 401, "unauthorized")


def test_only_good_keys_are_remembered(api: Caller) -> None:
    for key in ("a", "b", api.key, issue(*BOTH, revoked_at=timezone.now())):
        Caller(key)("GET", "/users")
    assert len(api_keys._remembered) == 1


@pytest.mark.parametrize(("method", "path", "body"), EVERYWHERE)
def test_each_deed_needs_its_scope(method: str, path: str, body: Any) -> None:
    needed, other = ("users:read", "users:write") if method == "GET" else ("users:write", "users:read")
    for scopes in ([], [other]):
        error = refused(Caller(issue(*scopes))(method, path, body), 403, "missing_scope")
        assert needed in error["message"]
    assert Caller(issue(needed))(method, path, body).status_code in (200, 201, 404)


def test_a_look_at_a_key_is_one_query_a_second(api: Caller, django_assert_num_queries: Any) -> None:
    api("GET", "/users/1")
    with django_assert_num_queries(1):  # the user
        api("GET", "/users/1")
    api_keys._remembered.clear()
    with django_assert_num_queries(2):  # the key
        api("GET", "/users/1")


def test_the_look_uses_an_index() -> None:
    found = ApiKey.objects.filter(digest="x", revoked_at=None).explain().lower()
    assert "using index" in found or "const" in found or "no matching row" in found


def test_use_is_noted_at_most_once_a_minute(api: Caller) -> None:
    def used_at() -> Any:
        return ApiKey.objects.get().used_at

    api("GET", "/users")
    first = used_at()
    assert abs(timezone.now() - first) < timedelta(minutes=1)
    for _ in range(2):
        api_keys._remembered.clear()
        with CaptureQueriesContext(connection) as queries:
            api("GET", "/users")
        assert not [one for one in queries.captured_queries if one["sql"].startswith("UPDATE")]
    assert used_at() == first
    ApiKey.objects.update(used_at=first - timedelta(seconds=61))
    api_keys._remembered.clear()
    api("GET", "/users")
    assert used_at() >= first


def test_use_is_noted_of_a_key_that_is_remembered(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy key is always remembered, and in use all the same."""
    api("GET", "/users")
    later = datetime.now(UTC) + timedelta(seconds=61)
    monkeypatch.setattr(api_keys.timezone, "now", lambda: later)
    for _ in range(2):
        api("GET", "/users")
    assert ApiKey.objects.get().used_at == later


def test_a_key_is_not_in_its_row(api: Caller) -> None:
    row = ApiKey.objects.values().get()
    assert api.key not in str(row)
    assert api.key.startswith(row["prefix"])
    assert len(row["prefix"]) <= 10
