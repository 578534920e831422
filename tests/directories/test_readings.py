"""Reading directories over real HTTP: what is created, updated, adopted, marked as gone, held back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sync import inbox
from sync.models import City, DirectoryRun, Job, Object, Route, User, Violation, ViolationCategory
from tests.directories.reference import counts


def test_the_shipped_example_reads_all_to_the_end(portal, transactional_db):
    portal.seed(cities=40, categories=60, objects=1200, violations=137, users=300)
    portal.configure()
    runs = portal.run()
    assert {slug: counts(run) for slug, run in runs.items()} == {
        "city": {"created": 40},
        "category": {"created": 60},
        "object": {"created": 1200},
        "violation": {"created": 137},
        "user": {"created": 300},
    }
    assert portal.requests() == 2, "first pages together, then all other pages together"
    one = Object.objects.get(name="Object 41")
    assert (one.city.name, one.state) == ("City 1", "Действует")
    assert Violation.objects.get(name="Violation 136").category.name == "Category 16"
    assert {run.finished_at is not None for run in runs.values()} == {True}


def test_a_second_reading_changes_and_writes_nothing(reference):
    reference.run()
    tables = [model._meta.db_table for model in (City, Object, Violation, ViolationCategory, User)]
    with CaptureQueriesContext(connection) as queries:
        runs = reference.run()
    found = {slug: counts(run) for slug, run in runs.items()}
    assert found == {
        "city": {"unchanged": 3},
        "category": {"unchanged": 2},
        "object": {"unchanged": 4},
        "violation": {"unchanged": 3},
        "user": {"unchanged": 2},
    }
    writes = [
        query["sql"]
        for query in queries
        if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
        and any(f"{name}`" in query["sql"] or f'{name}"' in query["sql"] for name in tables)
    ]
    assert writes == []


def test_children_wait_until_their_parents_are_written(portal, transactional_db):
    portal.seed(categories=120, violations=30)
    portal.configure()
    for slug in ("violation", "category"):  # the child is queued first, and its single page is read at once
        inbox.queue(Route.objects.get(), [slug])
    portal.drain()
    run = DirectoryRun.objects.get(directory__slug="violation")
    assert counts(run) == {"created": 30}


def test_a_renamed_moved_and_removed_record_is_found(reference):
    reference.run()
    first, second, third, *_ = reference.elements(77)
    reference.change(77, first["ID"], NAME="Renamed", PROPERTY_637="2001", PROPERTY_645="1503")
    reference.change(77, second["ID"], NAME=second["NAME"], PROPERTY_637="2005", PROPERTY_645="1501")
    reference.remove(77, third["ID"])
    run = reference.run()["object"]
    assert counts(run) == {"updated": 2, "gone": 1, "unchanged": 1}
    notes = {note.btxid: note.text for note in run.notes.all()}
    assert notes[str(first["ID"])] == "name: Object 0 → Renamed; state: Действует → Закрыт"
    assert Object.objects.get(btxid=second["ID"]).city.name == "City 2"
    assert Object.objects.get(btxid=third["ID"]).gone_at is not None, "marked, not deleted"
    assert counts(reference.run()["object"]) == {"unchanged": 3}


def test_what_was_gone_comes_back(reference):
    reference.run()
    names = dict(reference.cities)
    del reference.cities["2003"]
    reference.rename_cities()
    assert counts(reference.run("city")["city"]) == {"unchanged": 2, "gone": 1}
    reference.rename_cities(**names)
    assert counts(reference.run("city")["city"]) == {"unchanged": 2, "updated": 1}
    assert not City.objects.exclude(gone_at=None).exists()


def test_local_rows_are_adopted_and_their_own_columns_stay(reference):
    mine = User.objects.create(first_name="Name1", last_name="Last1", tg_id=77, secret_key="k")
    other = User.objects.create(first_name="Name1", last_name="Other", tg_id=78)
    city = City.objects.create(name="City 0")
    here = Object.objects.create(name="Object 0", city=city)
    elsewhere = Object.objects.create(name="Object 1", city=city)  # the portal's is in another city
    runs = reference.run()
    assert counts(runs["user"]) == {"created": 1, "adopted": 1}
    assert counts(runs["city"]) == {"created": 2, "adopted": 1}
    assert counts(runs["object"]) == {"created": 3, "adopted": 1}
    mine.refresh_from_db()
    assert (mine.btxid, mine.tg_id, mine.secret_key) == (2, 77, "k")
    assert (User.objects.get(pk=other.pk).btxid, Object.objects.get(pk=elsewhere.pk).btxid) == (None, None)
    assert Object.objects.get(pk=here.pk).btxid == reference.elements(77)[0]["ID"]
    assert counts(reference.run()["user"]) == {"unchanged": 2}


def test_a_bad_record_is_an_error_and_stops_no_other(reference):
    bad = reference.add(77, [{"NAME": "", "PROPERTY_637": "2001"}, {"NAME": "Nowhere", "PROPERTY_637": "9"}])
    run = reference.run()["object"]
    assert counts(run) == {"created": 4, "errors": 2}
    notes = {note.btxid: note.text for note in run.notes.filter(outcome="errors")}
    assert notes == {str(bad[0]): "Empty: NAME.", str(bad[1]): "Its parent 9 is not in city."}


def test_what_the_database_refuses_stays_out_alone(reference):
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_city_a_name ON sync_city (name)")
    try:
        reference.rename_cities(**{"2901": "City 1"})
        run = reference.run("city")["city"]
    finally:
        with connection.cursor() as cursor:
            mysql = " ON sync_city" if connection.vendor == "mysql" else ""
            cursor.execute(f"DROP INDEX one_city_a_name{mysql}")
    assert counts(run) == {"created": 3, "errors": 1}
    (note,) = run.notes.filter(outcome="errors")
    assert note.btxid == "2901"
    assert "refused" in note.text


@pytest.mark.parametrize("left", [0, 1])
def test_a_source_that_shows_too_little_is_held_back(reference, left):
    reference.run()
    for row in reference.elements(77)[left:]:
        reference.remove(77, row["ID"])
    run = reference.run("object")["object"]
    assert run.is_held
    assert Job.objects.get(pk=run.job_id).failure == Job.Failure.CONFIG
    assert not Object.objects.exclude(gone_at=None).exists()
    run.approve()
    reference.drain()
    run.refresh_from_db()
    assert counts(run) == {"gone": 4 - left, **({"unchanged": left} if left else {})}


def test_a_list_that_changes_while_it_is_read_is_read_again(reference, monkeypatch):
    reference.add(123, ({"NAME": f"More {n}"} for n in range(150)))
    reference.run()
    seen = []

    def shrink(name):
        if name == "lists.element.get" and not seen:
            seen.append(name)
            reference.emulator.portal.directory.lists[123].elements.remove(first)
        return 0

    first = reference.elements(123)[0]["ID"]
    pages = reference.emulator.portal.faults
    usual = pages.command_latency
    calls = []

    def latency(name):
        calls.append(name)
        return shrink(name) if calls.count("lists.element.get") == 3 else usual(name)

    monkeypatch.setattr(pages, "command_latency", latency)
    run = reference.run("violation")["violation"]
    assert seen
    assert counts(run) == {"gone": 1, "unchanged": 152}, "the shift of the pages hid no other record"
