"""The Bitrix24 client over real HTTP, against a server that does what a test tells it."""

import os

import pytest

from sync.connectors import CONNECTORS, open_client
from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.types import Access, Client, Command
from sync.errors import NeedsStaff, Refused, Throttled, TryLater
from tests.connectors.calling import GOOD, client_for, execute_one
from tests.connectors.contract import SECRET, ClientContract
from tests.connectors.scripted import Behaviour, Scripted, answer


class TestContract(ClientContract):
    def open(self, access: Access) -> Client:
        return Bitrix24Client(access)

    def good(self) -> Behaviour:
        return answer(GOOD)


def test_one_command_is_a_direct_call() -> None:
    with Scripted([answer(GOOD)]) as server:
        command = Command(
            "crm.item.add", {"fields": {"title": "Ы 😀", "opened": True, "comments": None, "n": 5}}
        )
        reply = client_for(server).execute({"mine": command})
    received = server.received[0]
    assert (received.verb, received.target) == ("POST", f"/rest/1/{SECRET}/crm.item.add.json")
    assert received.headers["content-type"] == "application/json"
    assert received.json == {"fields": {"title": "Ы 😀", "opened": "Y", "comments": "", "n": 5}}
    assert crm.read_added(reply.answers["mine"].result()) == "5"
    assert reply.usage["crm.item.add"].seconds == 0.41
    assert reply.usage["crm.item.add"].reset_at == 1724917459
    assert reply.new_url == ""


@pytest.mark.parametrize("value", [None, False, [], {}, 0, "", 5, True])
def test_any_result_is_a_result(value: object) -> None:
    assert (
        execute_one(answer({"result": value})).answers["a"]
        == execute_one(answer({"result": value})).answers["a"]
    )
    assert execute_one(answer({"result": value})).answers["a"].result() == value


def test_where_the_next_page_begins() -> None:
    assert execute_one(answer({"result": [], "next": 50, "total": 77})).answers["a"].next_start == 50
    assert execute_one(answer({"result": [], "total": 77})).answers["a"].next_start is None


def test_a_byte_order_mark_does_no_harm() -> None:
    assert execute_one(answer(b'\xef\xbb\xbf{"result": 1}')).answers["a"].value == 1


def test_an_error_about_the_record_is_the_answer_of_the_command() -> None:
    reply = execute_one(answer({"error": "NOT_FOUND", "error_description": "Элемент не найден"}, status=400))
    with pytest.raises(Refused, match=r"source: crm\.item\.get: Элемент не найден \(NOT_FOUND\)\."):
        reply.answers["a"].result()


def test_an_error_about_the_portal_is_raised() -> None:
    with pytest.raises(NeedsStaff, match="does not accept our key") as raised:
        execute_one(answer({"error": "INVALID_CREDENTIALS", "error_description": "Invalid"}, status=401))
    assert raised.value.is_portal_wide
    with pytest.raises(Throttled) as limited:
        execute_one(answer({"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many"}, status=503))
    assert limited.value.method == ""


def test_a_blocked_method_says_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.connectors.bitrix24.responses.time.time", lambda: 1000.0)
    message = {
        "error": "OPERATION_TIME_LIMIT",
        "error_description": "Method is blocked",
        "time": {"operating_reset_at": 1100},
    }
    error = execute_one(answer(message, status=429)).answers["a"].error
    assert isinstance(error, Throttled)
    assert error.method == "crm.item.get"
    assert error.after == 101


# --- a portal that moves ----------------------------------------------------------------------------


def moved_to(server: Scripted, path: str = "/rest/1/Zq9s3cretCode/crm.item.get.json") -> Behaviour:
    return answer("<html>moved</html>", status=302, Location=f"http://127.0.0.1:{server.port}{path}")


def test_a_portal_that_has_moved_is_asked_again_there() -> None:
    with Scripted([answer(GOOD)]) as new, Scripted([moved_to(new)]) as old:
        client = client_for(old)
        replies = [client.execute({"a": Command("crm.item.get", {"id": 5})}) for _ in range(2)]
    assert [reply.new_url for reply in replies] == [new.url, new.url]
    assert len(old.received) == 1  # from then on we go straight to the new address
    assert [(received.verb, received.json) for received in new.received] == [("POST", {"id": 5})] * 2


@pytest.mark.parametrize("path", ["/auth/?backurl=x", "/?login=yes", "/oauth/authorize/"])
def test_a_login_page_is_no_new_address(path: str) -> None:
    with (
        Scripted([answer(GOOD)]) as new,
        Scripted([moved_to(new, path)]) as old,
        pytest.raises(NeedsStaff, match="login page"),
    ):
        client_for(old).execute({"a": Command("crm.item.get")})
    assert new.received == []


@pytest.mark.parametrize(
    "location", ["/auth/", "", "?login=yes", "http://[::1", "//evil.example/x", "javascript:1"]
)
def test_a_redirect_that_leads_nowhere_allowed(location: str) -> None:
    with pytest.raises(NeedsStaff) as raised:
        execute_one(answer("", status=302, Location=location))
    assert SECRET not in str(raised.value)


def test_redirects_in_a_circle_end() -> None:
    with Scripted([]) as one, Scripted([moved_to(one)]) as two:
        one.script.append(moved_to(two))
        with pytest.raises(NeedsStaff, match="circle"):
            client_for(one).execute({"a": Command("crm.item.get")})
        assert len(one.received) + len(two.received) == 2


# --- OAuth ------------------------------------------------------------------------------------------


def test_an_access_token_goes_in_the_body() -> None:
    with Scripted([answer(GOOD)]) as server:
        client = client_for(server, token="t0ken")
        client.execute({"a": Command("m", {"id": 5})})
        client.execute({"a": Command("m"), "b": Command("n")})
        client.execute({"a": crm.download("x/?token=1", max_bytes=100)})
    assert server.received[0].json == {"id": 5, "auth": "t0ken"}
    assert server.received[1].json["auth"] == "t0ken"
    assert server.received[2].target.endswith("/x/?token=1&auth=t0ken")
    assert "t0ken" not in repr(client_for(server, token="t0ken")._access)


def test_an_old_access_token_waits_for_a_new_one() -> None:
    with pytest.raises(TryLater) as raised:
        execute_one(answer({"error": "expired_token", "error_description": "expired"}, status=401))
    assert raised.value.code == "expired_token"


# --- the registry -----------------------------------------------------------------------------------


def test_one_client_a_process_portal_and_address() -> None:
    access = Access("registry", "https://x.bitrix24.ru/rest/1/a/", hosts=("*.bitrix24.ru",))
    client = open_client("bitrix24", access)
    assert open_client("bitrix24", Access("registry", access.url, hosts=access.hosts)) is client
    changed = open_client(
        "bitrix24", Access("registry", "https://x.bitrix24.ru/rest/1/b/", hosts=access.hosts)
    )
    assert changed is not client
    assert open_client("bitrix24", Access("other", access.url, hosts=access.hosts)) is not client


def test_a_forked_process_opens_its_own_connections() -> None:
    access = Access("forked", "https://x.bitrix24.ru/rest/1/a/", hosts=("*.bitrix24.ru",))
    mine = open_client("bitrix24", access)
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, b"other" if open_client("bitrix24", access) is not mine else b"same")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"other"


def test_an_unknown_kind_is_a_bug() -> None:
    assert "bitrix24" in CONNECTORS
    with pytest.raises(KeyError):
        open_client("telex", Access("x", "y"))
    with pytest.raises(KeyError):
        open_client("core", Access("x", "y"))
