"""Files by link: fetched whole, named right, never from anywhere else."""

import json

import pytest

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command, File
from sync.errors import NeedsStaff, Refused, TryLater
from tests.connectors.calling import GOOD, client_for, execute_one
from tests.connectors.contract import SECRET
from tests.connectors.scripted import Scripted, answer

FILE = crm.download("crm.controller.item.getFile/?token=crm%7Cx", max_bytes=1000)


def test_a_file_is_fetched_with_the_headers_of_a_browser() -> None:
    content = bytes(range(256))
    with Scripted([answer(content, Content_Disposition='attachment; filename="a.pdf"')]) as server:
        found = client_for(server).execute({"f": FILE}).answers["f"].result()
    assert found == File("a.pdf", content)
    received = server.received[0]
    assert (received.verb, received.target) == (
        "GET",
        f"/rest/1/{SECRET}/crm.controller.item.getFile/?token=crm%7Cx",
    )
    assert all(received.headers.get(name) for name in ("user-agent", "accept", "accept-language"))
    assert received.headers["referer"] == f"http://127.0.0.1:{server.port}/"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename=a.pdf", "a.pdf"),
        (
            "attachment; filename=\"file\"; filename*=utf-8''%D0%A1%D1%87%D1%91%D1%82%20%E2%84%965.pdf",
            "Счёт №5.pdf",
        ),
        ("attachment; filename*=UTF-8'ru'%D0%A1.pdf; filename=\"x\"", "С.pdf"),
        ('attachment; filename="%D0%A1%D1%87%D1%91%D1%82.pdf"', "Счёт.pdf"),
        ('attachment; filename="a\\"b.pdf"', 'a"b.pdf'),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\dir\\\\x.doc"', "x.doc"),
        ("attachment", "file"),
        ('attachment; filename=""', "file"),
    ],
)
def test_the_name_of_a_file(disposition: str, name: str) -> None:
    reply = execute_one(answer(b"x", Content_Disposition=disposition), FILE)
    assert reply.answers["a"].result().name == name


def test_a_name_in_raw_utf_8() -> None:
    disposition = 'attachment; filename="Счёт.pdf"'.encode().decode("latin-1")
    assert (
        execute_one(answer(b"x", Content_Disposition=disposition), FILE).answers["a"].result().name
        == "Счёт.pdf"
    )


def test_a_json_file_is_a_file() -> None:
    reply = execute_one(
        answer({"error": "in my file"}, Content_Disposition='attachment; filename="a.json"'), FILE
    )
    assert json.loads(reply.answers["a"].result().content) == {"error": "in my file"}


@pytest.mark.parametrize("headers", [{}, {"Content_Length": "10"}])
def test_a_file_that_is_too_large(headers: dict[str, str]) -> None:
    reply = execute_one(answer(b"x" * 1_000_000, Content_Disposition="attachment"), FILE)
    with pytest.raises(Refused, match=r"larger than 1,000 bytes"):
        reply.answers["a"].result()


def test_after_a_file_too_large_the_next_call_goes_well() -> None:
    with Scripted([answer(b"x" * 1_000_000, Content_Disposition="attachment"), answer(GOOD)]) as server:
        client = client_for(server)
        client.execute({"a": FILE})
        assert client.execute({"a": Command("m")}).answers["a"].error is None


def test_a_file_that_is_gone() -> None:
    error = execute_one(answer("<html>404</html>", status=404), FILE).answers["a"].error
    assert isinstance(error, Refused)
    message = {"error": "ACCESS_DENIED", "error_description": "Access denied!"}
    assert isinstance(execute_one(answer(message, status=403), FILE).answers["a"].error, NeedsStaff)
    assert isinstance(execute_one(answer("<html>log in"), FILE).answers["a"].error, TryLater)


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc", "//evil.example/x", "https://evil.example/x", "HTTP://evil.example/", "../../other", "a/../../b",  # noqa: E501
        "%2e%2e/x", "%252e%252e/x", "\\\\evil\\x", "javascript:1", "%2Fx", "https%3A//evil.example",
    ],
)  # fmt: skip
def test_a_link_out_of_the_portal_is_not_followed(path: str) -> None:
    with Scripted([answer(b"x", Content_Disposition="attachment")]) as server:
        with pytest.raises(Refused, match="does not lead into"):
            client_for(server).execute({"a": Command("#download", {"path": path})}).answers["a"].result()
        assert server.received == []


def test_a_download_goes_alone() -> None:
    with Scripted([answer(GOOD)]) as server, pytest.raises(ValueError, match="alone"):
        client_for(server).execute({"a": FILE, "b": Command("m")})
