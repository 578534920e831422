"""The description says what the API does, and the API does what the description says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from sync.models import ApiKey, Route
from tests.api.users.conftest import BOTH, Caller, make_job
from tests.processes import Site

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    """As callers get it."""
    return Client().get("/api/schema/?format=json").json()


def test_it_is_valid_and_nothing_is_guessed(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "schema.yaml"))


def test_it_names_every_address_once(description: dict[str, Any]) -> None:
    assert {path: sorted(operations) for path, operations in description["paths"].items()} == {
        "/users": ["get", "post"],
        "/users/{id}": ["get", "patch"],
        "/users/{id}/move": ["post"],
        "/inbound/from-{slug}": ["get", "post"],
        "/webhooks/source/onDealCreate/{token}": ["get", "post"],
        "/webhooks/receiver/onDealUpdate/{token}": ["get", "post"],
    }


def test_operations_are_named_for_what_they_do(description: dict[str, Any]) -> None:
    """Generated clients name their methods so."""
    operations = {
        operation["operationId"]: (operation["summary"], operation["description"][:12])
        for path, methods in description["paths"].items()
        if path.startswith("/users")
        for operation in methods.values()
    }
    assert operations == {
        "list_users": ("List users", "The newest f"),
        "create_user": ("Create a user", "The user is "),
        "read_user": ("Read a user", "The user and"),
        "change_user": ("Change a user", "Fields that "),
        "move_user": ("Move a user to a stage", "The lead fol"),
    }


def test_each_operation_on_users_tells_keys_refusals_and_examples(description: dict[str, Any]) -> None:
    schemes = description["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {
        "bearer": "http",
        "apiKey": "apiKey",
    }
    operations = [
        (method, operation)
        for path, methods in description["paths"].items()
        if path.startswith("/users")
        for method, operation in methods.items()
    ]
    for method, operation in operations:
        assert operation["security"] == [{"bearer": []}, {"apiKey": []}]
        statuses = {status for status in operation["responses"] if status >= "400"}
        writes = {"400", "413", "415", "422"} if method != "get" else set()
        assert statuses >= {"401", "403", "503"} | writes
        for status in statuses:
            told = operation["responses"][status]["content"]["application/json"]["schema"]
            assert told == {"$ref": "#/components/schemas/Error"}
        names = {one["name"] for one in operation["parameters"]}
        assert ("Idempotency-Key" in names) is (method != "get")
        assert any("examples" in str(one) for one in operation["responses"].values())
        assert "requestBody" not in operation or operation["requestBody"]["required"]


def test_a_body_takes_no_other_fields(description: dict[str, Any]) -> None:
    bodies = {
        name: schema for name, schema in description["components"]["schemas"].items() if "Request" in name
    }
    assert {"UserRequest", "PatchedUserRequest", "MoveRequest"} <= bodies.keys()
    assert {schema["additionalProperties"] for schema in bodies.values()} == {False}


def test_what_is_described_is_what_is_answered(
    description: dict[str, Any], api: Caller, route: Route
) -> None:
    make_job(route, api.make()["id"])
    page = api("GET", "/users").json()
    [user] = page["results"]
    schemas = description["components"]["schemas"]
    described = {name: (list(one["properties"]), set(one["required"])) for name, one in schemas.items()
                 if "required" in one}  # fmt: skip
    for name, answer in {
        "PaginatedUserList": page,
        "User": user,
        "Lead": user["lead"],
        "LeadJob": user["lead"]["job"],
        "Error": api("GET", "/users/0").json(),
        "ErrorDetail": api("GET", "/users?page_size=0").json()["error"],
    }.items():
        fields, required = described[name]
        assert list(answer) == fields
        assert required == set(fields) - {"fields"}  # only of fields that are wrong


def test_an_example_is_taken_and_answered_so(description: dict[str, Any], api: Caller) -> None:
    operation = description["paths"]["/users"]["post"]
    contents = operation["requestBody"]["content"], operation["responses"]["201"]["content"]
    given, answered = (next(iter(one["application/json"]["examples"].values()))["value"] for one in contents)
    answer = api("POST", "/users", given).json()
    moments = {name: answer[name] for name in ("id", "created_at", "updated_at")}
    assert {**answered, **moments} == answer


def test_nothing_is_described_that_no_operation_uses(description: dict[str, Any]) -> None:
    whole = str(description)
    schemas = description["components"]["schemas"]
    assert [name for name in schemas if f"'#/components/schemas/{name}'" not in whole] == []


def test_the_page_needs_nobody_else() -> None:
    """Browsers of staff may not reach the internet."""
    page = Client().get("/api/docs/").content.decode()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) >= 5
    assert all(link.startswith(("/static/", "/api/docs/")) for link in links)
    answers = [Client().get(link) for link in links]
    assert {answer.status_code for answer in answers} == {200}
    assert any("/api/schema/" in answer.text for answer in answers if not answer.streaming)


@pytest.mark.journey
def test_whatever_the_description_allows_or_forbids_is_answered_so(sqlite_site: Site, tmp_path: Path) -> None:
    """Schemathesis: all its checks, with data that fits and data that does not; by real HTTP."""
    with sqlite_site.orm():
        row = ApiKey(name="schemathesis", scopes=BOTH)
        key = row.issue()
        row.save()
    web = sqlite_site.serve()
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml"),
        "run", f"{web.url}/api/schema/?format=json", "--include-path-regex", "^/users",
        "--checks", "all", "--mode", "all", "--max-examples", "8", "--generation-deterministic",
        "--header", f"Authorization: Bearer {key}", "--no-color",
    ]  # fmt: skip
    environment = {
        "PATH": "",
        "SCHEMATHESIS_HOOKS": "generators",
        "PYTHONPATH": str(HERE),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert "Tested: 5" in done.stdout
    assert "Traceback" not in web.output()
