"""Webhooks that are accepted: in every shape, with the token in every place."""

import json
import time

import pytest
import requests

from tests.api.conftest import TOKEN, WebhookSender
from tests.processes import Site

SOURCE = "/inbound/from-source"


def _is_accepted(answer: requests.Response, deal_id: str) -> bool:
    """Check that the webhook was accepted for that deal."""
    body = answer.json()
    assert answer.status_code == 200, body
    assert abs(body.pop("timestamp") - time.time()) < 60
    assert body == {"success": True, "result": {"status": "accepted", "deal_id": deal_id}}
    return True


def test_query(sender: WebhookSender) -> None:
    assert _is_accepted(
        sender.get(SOURCE, params={"ID": "123", "token": TOKEN, "segment": "дизайнер"}), "123"
    )
    [event] = sender.events()
    assert (event.portal.slug, event.entity, event.record_id) == ("source", "deal", "123")
    assert event.params == {"segment": "дизайнер"}


def test_form(sender: WebhookSender) -> None:
    form = {"event": "ONCRMDEALADD", "data[FIELDS][ID]": "123", "auth[application_token]": TOKEN}
    assert _is_accepted(sender.post(SOURCE, data=form), "123")
    assert sender.events()[0].action == "add"


def test_json(sender: WebhookSender) -> None:
    body = {"deal_id": 123, "token": TOKEN, "comments": "Привет 👋"}
    assert _is_accepted(sender.post(SOURCE, json=body), "123")
    assert sender.events()[0].params == {"comments": "Привет 👋"}


def test_json_with_another_content_type(sender: WebhookSender) -> None:
    body = json.dumps({"id": "123", "token": TOKEN})
    assert _is_accepted(sender.post(SOURCE, data=body, headers={"Content-Type": "text/plain"}), "123")


def test_robot(sender: WebhookSender) -> None:
    form = {"document_id[0]": "crm", "document_id[1]": "CCrmDocumentDeal", "document_id[2]": "DEAL_123"}
    assert _is_accepted(sender.post(f"{SOURCE}?token={TOKEN}&article=A-1", data=form), "123")
    assert sender.events()[0].params == {"article": "A-1"}


def test_origin_names_the_deal(sender: WebhookSender) -> None:
    form = {"ID": "77", "ORIGIN_ID": "123", "token": TOKEN}
    assert _is_accepted(sender.post("/inbound/from-vinipol", data=form), "123")
    [event] = sender.events()
    assert (event.own_id, event.origin_id) == ("77", "123")


@pytest.mark.parametrize(
    ("path", "slug"),
    [("/webhooks/source/onDealCreate/", "source"), ("/webhooks/receiver/onDealUpdate/", "vinipol")],
)
@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize("end", ["", "/"])
def test_paths_of_the_original(sender: WebhookSender, path: str, slug: str, verb: str, end: str) -> None:
    where = {"params" if verb == "GET" else "data": {"ID": "123"}}
    answer = requests.request(verb, f"{sender.web.url}{path}{TOKEN}{end}", timeout=30, **where)
    assert _is_accepted(answer, "123")
    assert sender.events()[0].portal.slug == slug


def test_token_may_stand_anywhere(sender: WebhookSender) -> None:
    assert _is_accepted(sender.post(f"{SOURCE}/{TOKEN}", data={"ID": "1"}), "1")
    assert _is_accepted(sender.post(f"{SOURCE}/{TOKEN}/", data={"ID": "2"}), "2")
    assert _is_accepted(sender.post(f"{SOURCE}?token={TOKEN}", data={"ID": "3"}), "3")
    assert _is_accepted(sender.post(SOURCE, data={"ID": "4", "token": TOKEN}), "4")
    assert _is_accepted(sender.post(SOURCE, data={"ID": "5", "auth[application_token]": TOKEN}), "5")
    assert _is_accepted(sender.post(SOURCE, json={"ID": 6, "auth": {"application_token": TOKEN}}), "6")
    assert _is_accepted(sender.post(SOURCE, data={"ID": "7"}, headers={"X-Api-Key": TOKEN}), "7")
    assert _is_accepted(sender.post(f"/webhooks/source/onDealCreate?token={TOKEN}", data={"ID": "8"}), "8")
    assert len(sender.events()) == 8


def test_what_is_stored_holds_no_token(sender: WebhookSender) -> None:
    form = {
        "ID": "1",
        "token": TOKEN,
        "auth[application_token]": TOKEN,
        "auth[domain]": "a.bitrix24.ru",
        "x": "y",
    }
    assert _is_accepted(sender.post(SOURCE, data=form, headers={"X-Api-Key": TOKEN}), "1")
    [event] = sender.events()
    assert TOKEN not in json.dumps([event.params, event.details])
    assert event.details["auth"] == {"domain": "a.bitrix24.ru"}


def test_equal_webhooks_are_one_event(sender: WebhookSender) -> None:
    form = {"event": "ONCRMDEALUPDATE", "data[FIELDS][ID]": "123", "ts": "1773749705", "token": TOKEN}
    for _ in range(3):
        assert _is_accepted(sender.post(SOURCE, data=form), "123")
    [event] = sender.events()
    assert event.repeats == 2
    assert _is_accepted(sender.post(SOURCE, data={**form, "ts": "1773749706"}), "123")
    assert len(sender.events()) == 2


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", ""])
def test_any_accept_header_gets_json(sender: WebhookSender, accept: str) -> None:
    answer = sender.post(SOURCE, data={"ID": "123", "token": TOKEN}, headers={"Accept": accept})
    assert _is_accepted(answer, "123")
    assert answer.headers["Content-Type"] == "application/json"


def test_a_parameter_may_be_called_format(sender: WebhookSender) -> None:
    assert _is_accepted(sender.get(SOURCE, params={"ID": "123", "token": TOKEN, "format": "А4"}), "123")
    assert sender.events()[0].params == {"format": "А4"}


def test_body_in_chunks(sender: WebhookSender) -> None:
    pieces = (piece for piece in (b"ID=12", b"3&token=", TOKEN.encode()))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert _is_accepted(sender.post(SOURCE, data=pieces, headers=headers), "123")


def test_multipart(sender: WebhookSender) -> None:
    fields = {"ID": (None, "123"), "token": (None, TOKEN), "segment": (None, "конечник")}
    assert _is_accepted(sender.post(SOURCE, files=fields), "123")
    assert sender.events()[0].params == {"segment": "конечник"}


def test_long_words_do_not_break_the_database(sender: WebhookSender) -> None:
    form = {"event": "ONSOMETHING" + "LONG" * 30, "ID": "9" * 18, "token": TOKEN, "n" * 300: "v" * 70_000}
    assert _is_accepted(sender.post(SOURCE, data=form), "9" * 18)
    robot = {"document_id[2]": "D" * 200 + "_147_5", "token": TOKEN}
    assert _is_accepted(sender.post(SOURCE, data=robot), "5")
    assert len(sender.events()) == 2


def test_a_webhook_goes_past_sessions_and_languages(sender: WebhookSender) -> None:
    answer = sender.post(SOURCE, data={"ID": "123", "token": TOKEN})
    assert set(answer.headers) & {"Vary", "Content-Language", "Set-Cookie"} == set()
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_host_that_is_not_ours_is_refused(sender: WebhookSender) -> None:
    answer = sender.post(SOURCE, data={"ID": "123", "token": TOKEN}, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert sender.events() == []


def test_plain_http_is_sent_to_https_where_that_is_wanted(sqlite_site: Site) -> None:
    web = sqlite_site.serve(HTTPS="true")
    answer = requests.post(f"{web.url}{SOURCE}?ID=1", timeout=30, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"][:8]) == (301, "https://")


@pytest.mark.parametrize("path", ["/inbound/from-source/a/b", "/inbound/", "/webhooks/source/onDealDelete"])
def test_an_unknown_address_is_not_found(sender: WebhookSender, path: str) -> None:
    assert sender.post(path, data={"ID": "123", "token": TOKEN}).status_code == 404
