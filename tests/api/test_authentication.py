"""What the web process caches of a portal lives a second at most, and is no reason to refuse anybody."""

import time

import pytest

from sync.api import authentication
from sync.models import Portal
from tests.api.conftest import TOKEN, WebhookSender

SOURCE = "/inbound/from-source"
EVERY_PROCESS = 12  # new connections: both web processes are met


def _statuses(sender: WebhookSender, token: str) -> set[int]:
    """The HTTP statuses that webhooks with this token get from every web process."""
    return {sender.post(SOURCE, data={"ID": "1", "token": token}).status_code for _ in range(EVERY_PROCESS)}


def _change(sender: WebhookSender, **changes: str) -> None:
    """Change columns of the portal."""
    with sender.site.orm():
        Portal.objects.filter(slug__in=("source", "moved")).update(**changes)


def test_a_changed_token_is_taken_at_once(sender: WebhookSender) -> None:
    assert _statuses(sender, TOKEN) == {200}
    _change(sender, inbound_token="a-new-Token")
    try:
        assert _statuses(sender, "a-new-Token") == {200}
    finally:
        _change(sender, inbound_token=TOKEN)


def test_an_old_token_is_refused_within_a_second(sender: WebhookSender) -> None:
    assert _statuses(sender, TOKEN) == {200}
    _change(sender, inbound_token="a-new-Token")
    try:
        time.sleep(1.1)
        assert _statuses(sender, TOKEN) == {401}
    finally:
        _change(sender, inbound_token=TOKEN)


def test_a_changed_slug_is_gone_within_a_second(sender: WebhookSender) -> None:
    assert _statuses(sender, TOKEN) == {200}
    _change(sender, slug="moved")
    try:
        assert sender.post("/inbound/from-moved", data={"ID": "1", "token": TOKEN}).status_code == 200
        time.sleep(1.1)
        assert _statuses(sender, TOKEN) == {404}
    finally:
        _change(sender, slug="source")


def test_a_deleted_portal_is_unknown_at_once(sender: WebhookSender) -> None:
    with sender.site.orm():
        portal = Portal.objects.create(slug="brief", inbound_token=TOKEN)
    path = "/inbound/from-brief"
    for number in range(EVERY_PROCESS):
        assert sender.post(path, data={"ID": str(number + 1), "token": TOKEN}).status_code == 200
    with sender.site.orm():
        portal.delete()
    for number in range(EVERY_PROCESS):
        answer = sender.post(path, data={"ID": str(number + 1), "token": TOKEN})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_portal")
    assert sender.events() == []


def test_a_portal_without_webhooks_is_unknown(sender: WebhookSender) -> None:
    with sender.site.orm():
        portal = Portal.objects.create(slug="queues", kind="core", inbound_token=TOKEN)
    answer = sender.post("/inbound/from-queues", data={"ID": "1", "token": TOKEN})
    with sender.site.orm():
        portal.delete()
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_portal")


@pytest.mark.django_db
def test_spellings_of_a_slug_fill_no_memory() -> None:
    Portal.objects.create(slug="spelled", inbound_token=TOKEN)
    for slug in ("spelled", "SPELLED", "Spelled", "nobody"):
        authentication.read(slug)
    kept = {slug for slug in authentication._known if slug.lower() in {"spelled", "nobody"}}
    assert kept == {"spelled"}
