"""The users API by real HTTP: gunicorn with two processes, on SQLite and on MariaDB."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import environ
import pytest
import requests

from sync.models import ApiKey, CoreUser, IdempotentResponse, Message
from tests.api.users.conftest import BOTH, IVAN
from tests.databases import open_site
from tests.gate import Gate
from tests.processes import Site, WebServer

pytestmark = pytest.mark.journey
MIB = 1024 * 1024


@dataclass
class Door:
    """A running installation, and a key to it."""

    site: Site
    web: WebServer
    key: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """One request."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        all_headers = {"X-Api-Key": self.key, "Accept-Language": "en", **given}
        return requests.request(method, self.web.url + path, json=body, headers=all_headers, timeout=60)

    def at_once(self, *calls: tuple[Any, ...], **headers: str) -> list[requests.Response]:
        """Many requests at the same time."""
        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(lambda one: self.call(*one, **headers), calls))


def give_key(site: Site) -> str:
    with site.orm():
        row = ApiKey(name="of a test", scopes=BOTH)
        key = row.issue()
        row.save()
    return key


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """gunicorn over a database of its own."""
    with open_site(request.param, request=request, folder=tmp_path_factory.mktemp("site")) as opened:
        key = give_key(opened)
        yield Door(opened, opened.serve(), key)


@pytest.fixture
def door(running: Door) -> Iterator[Door]:
    """Without the users of other tests; its log never holds the key or a phone."""
    with running.site.orm():
        for model in (IdempotentResponse, Message, CoreUser):
            model.objects.all().delete()
    yield running
    log = running.web.output()
    assert running.key not in log
    assert "9161234567" not in log
    assert "Traceback" not in log


def test_equal_requests_at_the_same_moment_make_one_user(door: Door) -> None:
    for number in range(3):
        key = f"equal-{number}"
        answers = door.at_once(*[("POST", "/users", IVAN)] * 12, Idempotency_Key=key)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    with door.site.orm():
        assert CoreUser.objects.count() == Message.objects.count() == IdempotentResponse.objects.count() == 3


def test_other_requests_with_the_same_key_at_the_same_moment_are_refused(door: Door) -> None:
    bodies = [{**IVAN, "full_name": f"Иван {number}"} for number in range(8)]
    answers = door.at_once(*[("POST", "/users", body) for body in bodies], Idempotency_Key="other")
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7
    with door.site.orm():
        assert CoreUser.objects.count() == Message.objects.count() == 1


def test_changes_of_one_user_at_the_same_moment_are_told_in_their_order(door: Door) -> None:
    """The last message says what the row says, and no message what the row never was."""
    user_id = door.call("POST", "/users", IVAN).json()["id"]
    path = f"/users/{user_id}"
    changes = [{"stage": f"S{n}"} for n in range(6)] + [{"full_name": f"N{n}"} for n in range(6)]
    calls = [("PATCH", path, body) for body in changes] + [("POST", f"{path}/move", {"stage": "MOVED"})] * 3
    answers = door.at_once(*calls)
    assert {answer.status_code for answer in answers} == {200}
    with door.site.orm():
        user = CoreUser.objects.get()
        told = [message.data["user"] for message in Message.objects.order_by("id")]
    assert len(told) == 1 + len(calls)
    assert {name: told[-1][name] for name in IVAN} == {name: getattr(user, name) for name in IVAN}
    for before, after in pairwise(told):
        assert sum(before[name] != after[name] for name in IVAN) <= 1


def test_many_users_at_the_same_moment(door: Door) -> None:
    answers = door.at_once(*[("POST", "/users", IVAN)] * 24)
    assert len({answer.json()["id"] for answer in answers}) == 24
    with door.site.orm():
        assert CoreUser.objects.count() == Message.objects.count() == 24


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_as_the_documentation_says(door: Door) -> None:
    command = [
        "curl",
        "-sS",
        "-i",
        "-X",
        "POST",
        f"{door.web.url}/users",
        "-H",
        f"Authorization: Bearer {door.key}",
    ]
    command += ["-H", "Content-Type: application/json", "-H", "Idempotency-Key: order-1", "-d"]
    command += ['{"full_name": "Иван Петров", "phone": "8 (916) 123-45-67", "stage": "NEW"}']
    head, _, body = subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition(
        "\n\n"
    )
    assert head.startswith("HTTP/1.1 201")
    assert json.loads(body).items() >= {**IVAN, "bitrix_lead_id": None}.items()


def test_a_body_in_chunks(door: Door) -> None:
    pieces = (piece for piece in (b'{"full_name": "A", ', b'"phone": "+79161234567"}'))
    headers = {"X-Api-Key": door.key, "Content-Type": "application/json"}
    answer = requests.post(f"{door.web.url}/users", data=pieces, headers=headers, timeout=30)
    assert answer.status_code == 201


@pytest.mark.parametrize("size", [2, 12])  # 12: more than all buffers on the way hold
def test_a_caller_of_too_much_hears_why(door: Door, size: int) -> None:
    body = b'{"full_name": "' + b"x" * (size * MIB) + b'"}'
    address = urlsplit(door.web.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    headers = {"X-Api-Key": door.key, "Content-Type": "application/json", "Connection": "close"}
    connection.request("POST", "/users", body, headers=headers)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]["code"]) == (413, "body_too_large")
    connection.close()


def test_a_body_that_is_cut_off_makes_nobody(door: Door) -> None:
    body = b'{"full_name": "A", "phone": "+79161234567"}'
    address = urlsplit(door.web.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.putrequest("POST", "/users")
    for name, value in {"X-Api-Key": door.key, "Content-Type": "application/json"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body) + 1))
    connection.endheaders()
    connection.send(body)
    connection.sock.shutdown(1)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]["code"]) == (400, "invalid_body")
    connection.close()
    with door.site.orm():
        assert CoreUser.objects.count() == 0


def test_a_database_that_goes_away_and_comes_back(mysql_site: Site) -> None:
    config = environ.Env.db_url_config(mysql_site.database_url)
    gate = Gate((config["HOST"], int(config["PORT"] or 3306)))
    url = f"mysql://{config['USER']}:{config['PASSWORD']}@127.0.0.1:{gate.port}/{config['NAME']}"
    door = Door(mysql_site, mysql_site.serve(DATABASE_URL=url), give_key(mysql_site))
    assert door.call("POST", "/users", IVAN).status_code == 201
    gate.shut()
    for _ in range(8):  # every thread meets its broken connection
        for method, body in (("POST", IVAN), ("GET", None)):
            answer = door.call(method, "/users", body, Idempotency_Key="again")
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_away")
            assert int(answer.headers["Retry-After"]) > 0
    gate.open()
    assert [door.call("POST", "/users", IVAN, Idempotency_Key="again").status_code for _ in range(8)] == [
        201
    ] * 8
    gate.shut()
    with mysql_site.orm():
        assert CoreUser.objects.count() == Message.objects.count() == 2
