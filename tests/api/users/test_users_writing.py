"""Creating, changing and moving users: the row and its message are one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from sync.api.wakeup import WAKEUPS
from sync.messaging import users
from sync.models import CoreUser, IdempotentResponse, Message
from sync.queue import outbox
from tests.api.users.conftest import IVAN, Caller, messages

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, str, dict[str, Any]]]:
    assert {message.queue for message in messages()} <= {"bitrix_queue"}
    assert {message.data["replyQueue"] for message in messages()} <= {"bitrix.responses"}
    return [(row.pattern, row.data["action"], row.data["user"]) for row in messages()]


def test_a_user_is_made_and_answered_whole(api: Caller) -> None:
    answer = api("POST", "/users", {**IVAN, "phone": "8 (916) 123-45-67", "full_name": "  Иван Петров "})
    user = CoreUser.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": user.pk,
        **IVAN,
        "bitrix_lead_id": None,
        "lead": {"state": "waiting", "reason": "", "replied_at": None, "job": None},
        "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": user.updated_at.isoformat().replace("+00:00", "Z"),
    }
    assert told() == [("user_created", "create_card", {"id": user.pk, **IVAN})]
    assert api("GET", f"/users/{user.pk}").json() == answer.json()


def test_a_stage_may_be_missing_or_empty(api: Caller) -> None:
    assert api("POST", "/users", {"full_name": "A", "phone": "+79161234567"}).json()["stage"] == ""
    assert api("POST", "/users", {"full_name": "A", "phone": "+79161234567", "stage": ""}).status_code == 201


@pytest.mark.parametrize(
    ("region", "given", "kept"),
    [
        ("RU", "8 (916) 123-45-67", "+79161234567"),
        ("RU", "9161234567", "+79161234567"),
        ("RU", "79161234567", "+79161234567"),
        ("RU", "+375 (29) 123-45-67", "+375291234567"),
        ("US", "(202) 555-0123", "+12025550123"),
        ("US", "+7 916 123 45 67", "+79161234567"),
    ],
)
def test_phones_are_kept_in_one_form(api: Caller, settings: Any, region: str, given: str, kept: str) -> None:
    settings.PHONE_REGION = region
    assert api.make(phone=given)["phone"] == CoreUser.objects.get().phone == kept


def test_a_change_is_told_with_the_leads_id(api: Caller) -> None:
    user_id = api.make()["id"]
    CoreUser.objects.update(bitrix_lead_id=501, lead_state="failed", lead_reason="No rights")
    answer = api("PATCH", f"/users/{user_id}", {"phone": "+375 29 123-45-67", "full_name": "Иван Сидоров"})
    assert answer.status_code == 200
    now = {"id": user_id, **IVAN, "phone": "+375291234567", "full_name": "Иван Сидоров"}
    assert answer.json().items() >= {**now, "bitrix_lead_id": 501}.items()
    assert (answer.json()["lead"]["state"], answer.json()["lead"]["reason"]) == ("waiting", "")
    assert told()[1:] == [("user_updated", "update_card", {**now, "bitrix_lead_id": 501})]


def test_a_change_of_the_stage_alone_is_an_update(api: Caller) -> None:
    user_id = api.make()["id"]
    api("PATCH", f"/users/{user_id}", {"stage": "IN_PROCESS"})
    assert [pattern for pattern, *_ in told()] == ["user_created", "user_updated"]


def test_a_change_without_a_difference_tells_nobody(api: Caller) -> None:
    made = api.make()
    CoreUser.objects.update(lead_state="linked")
    for body in ({}, {"stage": "NEW"}, {"phone": "8 916 123 45 67", "full_name": "Иван Петров "}):
        answer = api("PATCH", f"/users/{made['id']}", body)
        assert answer.status_code == 200
        assert answer.json()["lead"]["state"] == "linked"
        assert answer.json()["updated_at"] == made["updated_at"]
    assert len(messages()) == 1


def test_a_move_is_told_even_to_the_same_stage(api: Caller) -> None:
    user_id = api.make()["id"]
    CoreUser.objects.update(bitrix_lead_id=501, lead_state="linked")
    for stage in ("IN_PROCESS", "IN_PROCESS"):
        answer = api("POST", f"/users/{user_id}/move", {"stage": stage})
        assert answer.status_code == 200
        assert (answer.json()["stage"], answer.json()["lead"]["state"]) == (stage, "waiting")
    moved = {"id": user_id, **IVAN, "stage": "IN_PROCESS", "bitrix_lead_id": 501}
    assert told()[1:] == [("user_moved", "move_card", moved)] * 2


def test_addresses_may_end_with_a_slash(api: Caller) -> None:
    user_id = api("POST", "/users/", IVAN).json()["id"]
    assert api("GET", f"/users/{user_id}/").status_code == 200
    assert api("POST", f"/users/{user_id}/move/", {"stage": "X"}).status_code == 200
    assert len(api("GET", "/users/").json()["results"]) == 1


def test_an_id_has_one_spelling(api: Caller) -> None:
    """Others would be other requests to the same Idempotency-Key."""
    arabic = str(api.make()["id"]).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert api("GET", f"/users/{arabic}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users", IVAN),
        ("PATCH", "/users/{}", {"stage": "X"}),
        ("POST", "/users/{}/move", {"stage": "X"}),
    ],
)
def test_no_user_without_its_message(
    api: Caller, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
) -> None:
    user_id = api.make()["id"]
    before = list(CoreUser.objects.values())

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no room for a message")

    monkeypatch.setattr(outbox, "put", fail)
    answer = api(method, path.format(user_id), body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert list(CoreUser.objects.values()) == before


@pytest.mark.django_db(transaction=True)
def test_nobody_needs_to_open_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    user = users.create(IVAN)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no room for a message")

    monkeypatch.setattr(outbox, "put", fail)
    for work in (
        lambda: users.create(IVAN),
        lambda: users.change(user.pk, {"stage": "WON"}),
        lambda: users.move(user.pk, "WON"),
    ):
        with pytest.raises(RuntimeError):
            work()
    assert [one.stage for one in CoreUser.objects.all()] == ["NEW"]


def test_no_message_without_its_user(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails after both were written takes both back."""
    monkeypatch.setattr(IdempotentResponse, "save", lambda *_, **__: 1 / 0)
    assert api("POST", "/users", IVAN, Idempotency_Key="a").status_code == 500
    assert (CoreUser.objects.count(), Message.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_bell_that_fails_does_not_take_the_user_back() -> None:
    """It is stored: whoever was answered that it is not would send it again."""

    def fail() -> None:
        raise OperationalError("server has gone away")

    users.create(IVAN, wake=fail)
    assert (CoreUser.objects.count(), Message.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_rung_after_the_commit(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr(WAKEUPS, "request", lambda _: woken.append(Message.objects.count()))
    user_id = api.make()["id"]
    api("PATCH", f"/users/{user_id}", {"stage": "A"})
    api("PATCH", f"/users/{user_id}", {"stage": "A"})
    api("POST", f"/users/{user_id}/move", {"stage": "A"})
    assert woken == [1, 2, 3]


def test_settings_name_the_queues(api: Caller, settings: Any) -> None:
    settings.RABBITMQ_QUEUE, settings.RABBITMQ_REPLY_QUEUE = "other", "other.responses"
    api.make()
    [message] = messages()
    assert (message.queue, message.data["replyQueue"]) == ("other", "other.responses")
