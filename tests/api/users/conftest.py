"""A caller with a key, and users to speak of."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from sync.api.users import api_keys
from sync.models import ApiKey, CoreUser, Job, Message, Portal, Route

BOTH = ["users:read", "users:write"]
IVAN = {"full_name": "Иван Петров", "phone": "+79161234567", "stage": "NEW"}


def issue(*scopes: str, **fields: Any) -> str:
    """A fresh key with these scopes."""
    row = ApiKey(name="of a test", scopes=list(scopes), **fields)
    key = row.issue()
    row.save()
    return key


@dataclass
class Caller:
    """A program that uses the API with a key, in English."""

    key: str
    headers: dict[str, str] = field(default_factory=lambda: {"accept-language": "en"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """One request; `body` is sent as JSON; underscores of `headers` are dashes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"authorization": f"Bearer {self.key}", **self.headers, **given}
        data = b"" if body is None else json.dumps(body).encode()
        content_type = sent.pop("content-type", "application/json")
        return Client().generic(method, path, data, content_type, headers=sent)

    def make(self, **fields: Any) -> dict[str, Any]:
        """A new user."""
        answer = self("POST", "/users", {**IVAN, **fields})
        assert answer.status_code == 201, answer.content.decode()
        return answer.json()


@dataclass
class Clock:
    """The seconds by which keys are remembered; they stand still, however slow the machine is."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return self.seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Keys of another test are none here."""
    api_keys._remembered.clear()
    clock = Clock()
    monkeypatch.setattr(api_keys, "time", clock)
    return clock


@pytest.fixture
def api(db: None) -> Caller:
    """With both scopes."""
    return Caller(issue(*BOTH))


@pytest.fixture
def route(db: None) -> Route:
    """Where leads of users go."""
    core = Portal.objects.create(slug="core", kind="core")
    crm = Portal.objects.create(slug="crm", webhook_url="http://127.0.0.1:1/rest/1/x/")
    return Route.objects.create(slug="users", flow="leads", source=core, target=crm)


def make_job(route: Route, user_id: int, **fields: Any) -> Job:
    """A job about a user's lead."""
    values = {"kind": "lead", "step": "create", "lane": str(user_id), "portal": route.target} | fields
    return Job.objects.create(route=route, source_id=str(user_id), **values)


def make_users(count: int, **fields: Any) -> list[CoreUser]:
    """Users as the database holds them, the oldest first."""
    rows = [CoreUser(**{**IVAN, "full_name": f"Пользователь {n}", **fields}) for n in range(count)]
    CoreUser.objects.bulk_create(rows)
    return list(CoreUser.objects.order_by("-id")[:count])[::-1]


def messages() -> list[Message]:
    """What is to be sent, in order."""
    return list(Message.objects.order_by("id"))


def refused(answer: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """The error of an answer, after a look at its shape."""
    told = answer.json()
    assert answer.status_code == status, told
    assert answer.headers["Content-Type"] == "application/json"
    assert abs(told.pop("timestamp") - time.time()) < 60
    assert told.keys() == {"success", "error"}
    assert told["success"] is False
    error: dict[str, Any] = told["error"]
    assert error.keys() - {"fields"} == {"message", "code"}
    assert error["code"] == code
    assert error["message"]
    return error
