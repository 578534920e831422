"""URLs, encodings and who is let in."""

import http.client

import pytest
import requests

from sandbox.emulators.bitrix24.settings import Settings


def get(url, **kwargs):
    return requests.get(url, timeout=5, **kwargs)


@pytest.mark.parametrize(
    "tail", ["server.time", "server.time.json", "server.time/", "SERVER.Time", "server.time.json/"]
)
def test_spellings_of_a_method(emulator, tail):
    assert "result" in get(emulator.url + tail).json()


def test_encodings(call):
    url = call.emulator.url + "crm.deal.add"
    get(url, params={"fields[TITLE]": "query"})
    requests.post(url, data={"fields[TITLE]": "form"}, timeout=5)
    requests.post(url, files={"fields[TITLE]": (None, "multipart")}, timeout=5)
    requests.post(url, json={"fields": {"TITLE": "json"}}, timeout=5)
    requests.post(url + "?fields[TITLE]=query", json={"fields": {"TITLE": "the body wins"}}, timeout=5)
    titles = [deal["TITLE"] for deal in call.emulator.deals()]
    assert titles == ["query", "form", "multipart", "json", "the body wins"]


def test_broken_json_is_no_parameters(emulator):
    answer = requests.post(
        emulator.url + "crm.deal.add", data="{broken", headers={"Content-Type": "application/json"}, timeout=5
    )
    assert answer.status_code == 400
    assert answer.json()["error_description"] == "Parameter 'fields' must be array."


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/rest/1/wrong/server.time", 401, "INVALID_CREDENTIALS"),
        ("/rest/2/demo0code/server.time", 401, "INVALID_CREDENTIALS"),
        ("/rest/demo0code/server.time", 404, "ERROR_METHOD_NOT_FOUND"),
        ("/rest/1/demo0code/no.such", 404, "ERROR_METHOD_NOT_FOUND"),
        ("/rest/server.time", 401, "NO_AUTH_FOUND"),
        ("/rest/server.time?auth=wrong", 401, "NO_AUTH_FOUND"),
    ],
)
def test_refusals(emulator, path, status, code):
    answer = get(emulator.base + path)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_the_status_of_a_wrong_code_can_be_the_other_one(make):
    call = make(credentials_status=403)
    assert get(call.emulator.base + "/rest/1/wrong/server.time").status_code == 403


def test_scope(make):
    call = make(scopes=["crm"])
    assert call("scope") == ["crm"]
    assert call.error("user.get") == (403, "insufficient_scope")
    assert call("method.get", name="user.get") == {"isExisting": True, "isAvailable": False}
    assert call("method.get", name="crm.deal.get") == {"isExisting": True, "isAvailable": True}
    assert call("method.get", name="no.such") == {"isExisting": False, "isAvailable": False}


def test_time_block(call):
    time = call.whole("server.time")["time"]
    assert {"start", "finish", "duration", "processing", "date_start", "date_finish"} <= set(time)
    assert time["date_start"].endswith("+03:00")


def test_system_methods(call):
    assert call("profile")["ADMIN"] is True
    assert call("feature.get", CODE="rest_offline_extended") == {"value": "Y"}
    assert call("feature.get", CODE="no_such") == {"value": "N"}
    assert call.error("app.info") == (400, "ACCESS_DENIED")
    assert call("crm.settings.mode.get") == 1


def test_oauth(make):
    now = [1_700_000_000.0]
    call = make(clock=lambda: now[0])
    base = call.emulator.base
    first = call.control("apps", client_id="local.1", client_secret="s")
    by_body = requests.post(f"{base}/rest/app.info", json={"auth": first["access_token"]}, timeout=5)
    assert by_body.json()["result"]["CODE"] == "local.1"
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    assert get(f"{base}/rest/server.time.json", headers=bearer).status_code == 200
    now[0] += 3601
    late = get(f"{base}/rest/server.time", params={"auth": first["access_token"]})
    assert (late.status_code, late.json()["error"]) == (401, "expired_token")
    form = {"grant_type": "refresh_token", "client_id": "local.1", "client_secret": "s"}
    form["refresh_token"] = first["refresh_token"]
    second = requests.post(f"{base}/oauth/token/", data=form, timeout=5).json()
    assert second["client_endpoint"] == f"{base}/rest/"
    assert get(f"{base}/rest/server.time", params={"auth": second["access_token"]}).status_code == 200
    again = requests.post(f"{base}/oauth/token/", data=form, timeout=5)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    wrong = get(f"{base}/oauth/token/", params=form | {"client_secret": "x"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    stranger = get(f"{base}/oauth/token/", params=form | {"client_id": "x"})
    assert (stranger.status_code, stranger.json()["error"]) == (200, "wrong_client")
    empty = get(f"{base}/oauth/token/", params={"grant_type": "refresh_token"})
    assert empty.json()["error"] == "invalid_request"


def test_one_connection_serves_many_requests(emulator):
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=5)
    connection.connect()
    kept = connection.sock
    for _ in range(5):
        connection.request("GET", "/rest/1/demo0code/server.time")
        assert connection.getresponse().read()
        assert connection.sock is kept
    connection.close()


def test_defaults_of_the_vendor():
    settings = Settings()
    assert (settings.bucket, settings.operating_limit) == ((50.0, 2.0), 480.0)
