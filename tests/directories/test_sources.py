"""The other methods that a directory may be read by, into the table of reference records, without code."""

from __future__ import annotations

import json

import pytest

from sync.errors import NeedsStaff
from sync.flows.directories.table import Table
from sync.models import Directory, DirectoryField, Job, Portal, ReferenceRecord, Route
from tests.directories.reference import WITHOUT_LIMITS, counts


@pytest.fixture
def route(portal, transactional_db) -> Route:
    """A route of directories from the emulated portal."""
    source = Portal.objects.create(
        slug="reference", name="R", webhook_url=portal.emulator.url, **WITHOUT_LIMITS
    )
    return Route.objects.create(slug="directories", flow="directories", source=source)


def directory(route: Route, slug: str, method: str, *, fields: dict[str, str], **columns) -> Directory:
    """Make a directory; `fields`: column → field of the source."""
    row = Directory.objects.create(route=route, slug=slug, method=method, **columns)
    for column, field in fields.items():
        DirectoryField.objects.create(directory=row, column=column, field=field)
    return row


def records(slug: str) -> list[tuple[str, str, dict]]:
    """ID, name and details of each reference record of a directory."""
    rows = ReferenceRecord.objects.filter(directory=slug).order_by("pk")
    return [(row.btxid, row.name, json.loads(row.details)) for row in rows]


def test_items_of_a_smart_process_by_ranges_of_ids(portal, route):
    portal.emulator.add("types", {"ENTITY_TYPE_ID": 140, "TITLE": "Sites"})
    row = {"ENTITY_TYPE_ID": 140, "OPPORTUNITY": 5}
    made = portal.emulator.add("items", *({**row, "TITLE": f"Site {n}"} for n in range(330)))
    directory(
        route,
        "site",
        "crm.item.list",
        fields={"name": "title", "sum": "opportunity"},
        params={"entityTypeId": 140},
    )
    assert counts(portal.run("site")["site"]) == {"created": 330}
    assert portal.requests() == 2, "the largest ID, then all ranges"
    assert (str(made[0]), "Site 0", {"sum": "5"}) in records("site")
    assert counts(portal.run("site")["site"]) == {"unchanged": 330}


def test_items_with_gaps_and_a_filter(portal, route):
    portal.emulator.add("types", {"ENTITY_TYPE_ID": 140, "TITLE": "Sites"})
    row = {"ENTITY_TYPE_ID": 140, "TITLE": "Site"}
    ids = [1, *range(1000, 1120), 9_000_000]
    portal.emulator.add("items", *({**row, "ID": number} for number in ids))
    portal.emulator.add("items", {**row, "ID": 9_000_001, "TITLE": "Other"})
    params = {"entityTypeId": 140, "filter": {"title": "Site"}, "select": ["id", "title"]}
    directory(route, "site", "crm.item.list", fields={"name": "title"}, params=params)
    assert counts(portal.run("site")["site"]) == {"created": len(ids)}
    assert {int(key) for key, _name, _details in records("site")} == set(ids)


def test_statuses_departments_and_a_parent(portal, route):
    portal.emulator.add("departments", {"NAME": "Sales", "PARENT": 1}, {"NAME": "Works", "PARENT": 1})
    directory(
        route,
        "stage",
        "crm.status.list",
        fields={"name": "NAME", "sort": "SORT"},
        params={"filter": {"ENTITY_ID": "DEAL_STAGE_2"}},
    )
    places = directory(route, "place", "department.get", fields={"name": "NAME"})
    directory(
        route, "person", "user.get", fields={"name": "NAME"}, parent=places, parent_field="UF_DEPARTMENT"
    )
    portal.emulator.add(
        "users", {"NAME": "Anna", "UF_DEPARTMENT": [3]}, {"NAME": "Boris", "UF_DEPARTMENT": [77]}
    )
    runs = portal.run()
    assert counts(runs["place"]) == {"created": 3}
    assert counts(runs["person"]) == {"created": 2, "errors": 1}
    assert ("C2:UC_MXQPC8", "Передано в Винипол", {"sort": "30"}) in records("stage")
    assert ReferenceRecord.objects.get(name="Anna").parent.name == "Works"
    assert counts(portal.run("person")["person"]) == {"unchanged": 2, "errors": 1}


def test_directories_share_the_table_and_not_their_records(portal, route):
    directory(route, "one", "user.get", fields={"name": "NAME"})
    directory(route, "two", "user.get", fields={"name": "NAME"})
    portal.run("one")
    portal.emulator.add("users", {"NAME": "Anna"})
    assert counts(portal.run("two")["two"]) == {"created": 2}
    assert counts(portal.run("one")["one"]) == {"created": 1, "unchanged": 1}


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"method": "lists.element.get"}, "needs the parameters IBLOCK_TYPE_ID"),
        ({"table": "no_such"}, "the table no_such is not for reference data"),
        ({"table": "sync_city", "key_column": "nothing"}, "the table sync_city has no column nothing"),
    ],
)
def test_a_wrong_setting_is_for_staff_and_then_one_click(portal, route, columns, reason):
    row = directory(route, "one", "user.get", fields={"name": "NAME"})
    Directory.objects.filter(pk=row.pk).update(**columns)
    portal.run("one")
    job = Job.objects.get()
    assert (job.failure, reason in job.note) == (Job.Failure.CONFIG, True), job.note
    Directory.objects.filter(pk=row.pk).update(method="user.get", table="", key_column="btxid")
    Job.objects.all().requeue(now=job.created_at)
    portal.drain()
    assert counts(row.runs.get()) == {"created": 1}


@pytest.mark.parametrize(
    "fault",
    [
        {"refuse": 1.0, "refuse_as": "reset"},
        {"refuse": 1.0, "refuse_as": "query_limit"},
        {"cut": 1.0, "cut_where": "middle"},
        {"html": 1.0},
        {"malformed": 1.0},
    ],
)
def test_a_portal_in_trouble_delays_and_loses_nothing(portal, route, fault):
    row = directory(route, "one", "user.get", fields={"name": "NAME"})
    portal.emulator.add("users", *({"NAME": f"N{n}"} for n in range(200)))
    portal.emulator.faults(rules=[{**fault, "count": 1}])
    assert counts(portal.run("one")["one"]) == {"created": 201}
    assert row.runs.get().read == 201


def test_a_command_that_fails_alone_is_asked_again(portal, route):
    directory(route, "one", "user.get", fields={"name": "NAME"})
    directory(route, "two", "department.get", fields={"name": "NAME"})
    portal.emulator.add("users", *({"NAME": f"N{n}"} for n in range(200)))
    portal.emulator.faults(rules=[{"command_error": 1.0, "count": 1}])
    runs = portal.run()
    assert (counts(runs["one"]), counts(runs["two"])) == ({"created": 201}, {"created": 1})


def test_no_directory_writes_a_table_that_is_not_for_reference_data(route) -> None:
    row = directory(route, "people", "user.get", fields={"username": "NAME"}, table="auth_user")
    with pytest.raises(NeedsStaff, match="auth_user"):
        Table.of(row, ["username"])
