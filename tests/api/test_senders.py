"""What the web process remembers of a portal never outlives a second, and never refuses anybody."""

import time

import pytest

from sync.api import authentication
from sync.models import Portal
from tests.api.conftest import TOKEN, Door

SOURCE = "/inbound/from-source"
EVERY_PROCESS = 12  # new connections: both web processes are met


def _statuses(door: Door, token: str) -> set[int]:
    return {door.post(SOURCE, data={"ID": "1", "token": token}).status_code for _ in range(EVERY_PROCESS)}


def _change(door: Door, **changes: str) -> None:
    with door.site.orm():
        Portal.objects.filter(slug__in=("source", "moved")).update(**changes)


def test_a_changed_token_is_taken_at_once(door: Door) -> None:
    assert _statuses(door, TOKEN) == {200}
    _change(door, inbound_token="a-new-Token")
    try:
        assert _statuses(door, "a-new-Token") == {200}
    finally:
        _change(door, inbound_token=TOKEN)


def test_an_old_token_is_refused_within_a_second(door: Door) -> None:
    assert _statuses(door, TOKEN) == {200}
    _change(door, inbound_token="a-new-Token")
    try:
        time.sleep(1.1)
        assert _statuses(door, TOKEN) == {401}
    finally:
        _change(door, inbound_token=TOKEN)


def test_a_changed_slug_is_gone_within_a_second(door: Door) -> None:
    assert _statuses(door, TOKEN) == {200}
    _change(door, slug="moved")
    try:
        assert door.post("/inbound/from-moved", data={"ID": "1", "token": TOKEN}).status_code == 200
        time.sleep(1.1)
        assert _statuses(door, TOKEN) == {404}
    finally:
        _change(door, slug="source")


def test_a_deleted_portal_is_unknown_at_once(door: Door) -> None:
    with door.site.orm():
        portal = Portal.objects.create(slug="brief", inbound_token=TOKEN)
    path = "/inbound/from-brief"
    for number in range(EVERY_PROCESS):
        assert door.post(path, data={"ID": str(number + 1), "token": TOKEN}).status_code == 200
    with door.site.orm():
        portal.delete()
    for number in range(EVERY_PROCESS):
        answer = door.post(path, data={"ID": str(number + 1), "token": TOKEN})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_portal")
    assert door.events() == []


def test_a_portal_without_webhooks_is_unknown(door: Door) -> None:
    with door.site.orm():
        portal = Portal.objects.create(slug="queues", kind=Portal.Kind.CORE, inbound_token=TOKEN)
    answer = door.post("/inbound/from-queues", data={"ID": "1", "token": TOKEN})
    with door.site.orm():
        portal.delete()
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_portal")


@pytest.mark.django_db
def test_spellings_of_a_slug_fill_no_memory() -> None:
    Portal.objects.create(slug="spelled", inbound_token=TOKEN)
    for slug in ("spelled", "SPELLED", "Spelled", "nobody"):
        authentication.read(slug)
    kept = {slug for slug in authentication._known if slug.lower() in {"spelled", "nobody"}}
    assert kept == {"spelled"}
