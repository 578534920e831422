"""Webhooks that are refused: the right status, a clear error, nothing stored."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sync.models import Portal
from tests.api.conftest import TOKEN, WebhookSender

SOURCE = "/inbound/from-source"
MIB = 1024 * 1024


def _refused(sender: WebhookSender, answer: requests.Response, status: int, code: str) -> str:
    """Check the refusal, and that nothing was stored; its message."""
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, body
    assert answer.headers["Content-Type"] == "application/json"
    assert abs(body.pop("timestamp") - time.time()) < 60
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    assert set(body["error"]) == {"message", "code"}
    assert body["error"]["code"] == code
    assert sender.events() == []
    message: str = body["error"]["message"]
    assert TOKEN not in message
    return message


@pytest.mark.parametrize(
    "token", ["wrong", "", TOKEN[:-1], TOKEN + "x", TOKEN.lower(), "пароль", "\u0000", "%FF"]
)
def test_wrong_token(sender: WebhookSender, token: str) -> None:
    _refused(sender, sender.post(SOURCE, data={"ID": "1", "token": token}), 401, "unauthorized")


def test_wrong_token_in_path_and_header(sender: WebhookSender) -> None:
    _refused(sender, sender.post(f"{SOURCE}/wrong", data={"ID": "1"}), 401, "unauthorized")
    _refused(sender, sender.post(f"{SOURCE}/%FF%00", data={"ID": "1"}), 401, "unauthorized")
    _refused(sender, sender.get("/webhooks/source/onDealCreate/wrong?ID=1"), 401, "unauthorized")
    _refused(sender, sender.get("/webhooks/receiver/onDealUpdate/wrong?ID=1"), 401, "unauthorized")
    headers = {"X-Api-Key": b"\xff\xfe"}
    _refused(sender, sender.post(SOURCE, data={"ID": "1"}, headers=headers), 401, "unauthorized")


def test_missing_token(sender: WebhookSender) -> None:
    _refused(sender, sender.post(SOURCE, data={"ID": "1"}), 401, "unauthorized")
    _refused(sender, sender.get(f"{SOURCE}?ID=1"), 401, "unauthorized")
    _refused(sender, sender.get("/webhooks/source/onDealCreate?ID=1"), 401, "unauthorized")


def test_portal_without_a_token_accepts_nothing(sender: WebhookSender) -> None:
    with sender.site.orm():
        Portal.objects.filter(slug="vinipol").update(inbound_token="")
    try:
        _refused(
            sender, sender.post("/inbound/from-vinipol", data={"ID": "1", "token": ""}), 401, "unauthorized"
        )
        _refused(sender, sender.post("/inbound/from-vinipol", data={"ID": "1"}), 401, "unauthorized")
    finally:
        with sender.site.orm():
            Portal.objects.filter(slug="vinipol").update(inbound_token=TOKEN)


def test_address_writes_no_line_of_its_own_into_the_log(sender: WebhookSender) -> None:
    sender.post("/inbound/from-x%0AERROR forged", data={"ID": "1"})
    assert "\nERROR forged" not in sender.web.output()


@pytest.mark.parametrize("slug", ["nobody", "core", "Source2", "портал", "a.b", "x" * 300])
def test_unknown_portal(sender: WebhookSender, slug: str) -> None:
    _refused(
        sender, sender.post(f"/inbound/from-{slug}", data={"ID": "1", "token": TOKEN}), 404, "unknown_portal"
    )


def test_no_id(sender: WebhookSender) -> None:
    message = _refused(sender, sender.post(SOURCE, data={"token": TOKEN, "ID": " "}), 400, "missing_id")
    assert "ORIGIN_ID" in message
    assert "document_id[2]" in message


@pytest.mark.parametrize("deal_id", ["abc", "12a", "-5", "0", "1.5", "١٢", "9" * 30, "1 OR 1=1"])
def test_id_that_is_no_number(sender: WebhookSender, deal_id: str) -> None:
    _refused(sender, sender.post(SOURCE, data={"token": TOKEN, "ID": deal_id}), 400, "invalid_id")


@pytest.mark.parametrize("body", ["{", '{"ID": 1', "[1, 2]", '"text"', '{"ID": NaN}', "\x00"])
def test_broken_json(sender: WebhookSender, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    _refused(sender, sender.post(f"{SOURCE}?token={TOKEN}", data=body, headers=headers), 400, "invalid_json")


def test_too_deep(sender: WebhookSender) -> None:
    deep = {"token": TOKEN, "ID" + "[a]" * 30: "1"}
    _refused(sender, sender.post(SOURCE, data=deep), 400, "invalid_body")


@pytest.mark.parametrize("size", [2, 12])  # 12: more than all buffers hold
def test_sender_of_too_much_gets_the_reason(sender: WebhookSender, size: int) -> None:
    body = b"token=" + TOKEN.encode() + b"&ID=1&comments=" + b"x" * (size * MIB)
    address = urlsplit(sender.web.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    # a simple sender sends all before it reads: it would see no more than a broken connection
    connection.request("POST", SOURCE, body, headers={"Connection": "close"})
    answer = connection.getresponse()
    refusal = json.loads(answer.read())
    connection.close()
    assert (answer.status, refusal["error"]["code"]) == (413, "body_too_large")
    assert str(MIB) in refusal["error"]["message"]
    assert sender.events() == []


def test_too_large_in_chunks(sender: WebhookSender) -> None:
    pieces = (piece for piece in [b"ID=1&token=" + TOKEN.encode() + b"&x=", *[b"x" * 65536] * 32])
    _refused(sender, sender.post(SOURCE, data=pieces), 413, "body_too_large")


def test_largest_that_is_taken(sender: WebhookSender) -> None:
    start = b"token=" + TOKEN.encode() + b"&ID=1&comments="
    body = start + b"x" * (MIB - len(start))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert sender.post(SOURCE, data=body, headers=headers).status_code == 200
    assert len(sender.events()[0].params["comments"]) == MIB - len(start)


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_verbs(sender: WebhookSender, verb: str) -> None:
    answer = requests.request(verb, f"{sender.web.url}{SOURCE}?ID=1&token={TOKEN}", timeout=30)
    _refused(sender, answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST"


def test_a_head_request_is_no_webhook(sender: WebhookSender) -> None:
    answer = requests.head(f"{sender.web.url}{SOURCE}?ID=1&token={TOKEN}", timeout=30)
    assert answer.status_code == 405
    assert sender.events() == []


def test_sender_that_hangs_up_leaves_nothing(sender: WebhookSender) -> None:
    address = urlsplit(sender.web.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    connection.putrequest("POST", f"{SOURCE}?token={TOKEN}")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    connection.send(b"ID=1&comments=cut")
    connection.close()
    time.sleep(1)
    assert sender.events() == []
    assert "Traceback" not in sender.web.output()


def test_log_says_who_was_refused_and_why(sender: WebhookSender) -> None:
    sender.post(SOURCE, data={"ID": "1", "token": "wrong"})
    assert "A webhook for 'source' was refused: unauthorized" in sender.web.output()
