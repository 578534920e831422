"""`manage.py sync_directories`: the table, JSON, dry run, another webhook, wrong arguments; a kill."""

from __future__ import annotations

import contextlib
import io
import json
import time

import pytest
from django.core.management import CommandError, call_command

from sandbox.demo.processes import Process
from sync import tasks
from sync.models import City, DirectoryRun, Job, Object, Portal, Route
from tests.directories.reference import ReferencePortal
from tests.processes import Site


def run(*words: str) -> str:
    """Run the command; what it prints."""
    out = io.StringIO()
    call_command("sync_directories", *words, stdout=out)
    return out.getvalue()


def result(*words: str) -> dict[str, dict]:
    """Run the command with --json; slug → its result."""
    return json.loads(run("--json", *words))["directories"]


def test_it_reads_and_prints_a_table(reference, capsys):
    head, *lines = [line.split() for line in run().splitlines()]
    assert head == ["state", "created", "updated", "unchanged", "adopted", "gone", "errors"]
    assert lines[0] == ["city", "done", "3", "0", "0", "0", "0", "0"]
    assert [line[0] for line in lines] == ["city", "category", "user", "object", "violation"]
    again = result("object", "city")
    assert {slug: one["unchanged"] for slug, one in again.items()} == {"city": 3, "object": 4}
    assert "directories: 7\n" in capsys.readouterr().err


def test_a_dry_run_shows_the_differences_and_writes_nothing(reference):
    out = run("--dry-run")
    assert "city 2001  created  name: City 0" in out
    assert "nothing was changed" in out
    assert not City.objects.exists()
    assert not Object.objects.exists()
    assert result()["object"]["created"] == 4
    row = reference.elements(77)[0]
    reference.change(77, row["ID"], NAME="New name", PROPERTY_637="2001", PROPERTY_645="1501")
    (record,) = result("object", "--dry-run")["object"]["records"]
    assert record == {"id": str(row["ID"]), "outcome": "updated", "what": "name: Object 0 → New name"}
    assert Object.objects.get(btxid=row["ID"]).name == "Object 0"
    assert f"object {row['ID']}  updated  name: Object 0 → New name" in run("--verbose", "object")


def test_another_webhook_may_be_read_once(reference):
    Portal.objects.update(webhook_url="https://127.0.0.1:1/rest/1/nobody/")
    for _ in range(2):
        run("city", "--webhook-url", reference.emulator.url)
    assert City.objects.count() == 3
    assert (Portal.objects.count(), Route.objects.count()) == (2, 2), "the same address, the same portal"


def test_wrong_arguments_are_errors(portal, transactional_db):
    with pytest.raises(CommandError, match=r"examples/directories\.yaml"):
        run()
    portal.seed()
    portal.configure()
    with pytest.raises(CommandError, match=r"no directory town\. There are: category, city"):
        run("town")
    with pytest.raises(CommandError, match="--webhook-url"):
        run("--webhook-url", "https://example.org/")
    Portal.objects.update(is_paused=True)
    with pytest.raises(CommandError, match="paused"):
        run()


def test_a_directory_that_is_held_fails_the_command(reference, capsys):
    run("city")
    reference.cities.clear()
    reference.rename_cities()
    out = io.StringIO()
    with pytest.raises(CommandError, match="Not every directory was read"):
        call_command("sync_directories", "city", stdout=out)
    assert "held" in out.getvalue()
    assert "The source shows 0 records, the table has 3." in out.getvalue()
    assert not City.objects.exclude(gone_at=None).exists()


def test_a_dry_run_does_not_join_a_run(reference):
    Portal.objects.update(is_paused=True)
    tasks.sync_directories()
    with pytest.raises(CommandError, match="being read"):
        run("--dry-run", "city")
    tasks.sync_directories()
    assert Job.objects.filter(source_id="city").count() == 1, "never two at once"


@pytest.mark.timeout(120)
def test_a_killed_worker_leaves_whole_directories(site, portal: ReferencePortal):
    portal.seed(cities=5, objects=8_000)
    with site.orm():
        portal.configure()
    for delay in (0.0, 0.35):
        process = site.start("sync_directories", "city", "object")
        wait_for_the_write(site)
        watch(site, process, seconds=delay)
        process.child.kill()
        process.child.wait()
        with site.orm():
            assert City.objects.count() == 5, "whole before its children begin"
            Job.objects.filter(state="running").update(lease_until="2026-01-01T00:00:00Z")
    process = site.start("sync_directories", "city", "object")
    watch(site, process, seconds=60)
    assert process.child.wait() == 0, process.output()
    with site.orm():
        assert Object.objects.values("btxid").distinct().count() == Object.objects.count() == 8_000
        assert not DirectoryRun.objects.exclude(errors=0).exists()


def watch(site: Site, process: Process, *, seconds: float) -> None:
    """Check all the time that the table holds no half of a directory."""
    ends = time.monotonic() + seconds
    with site.orm():
        while process.child.poll() is None and time.monotonic() < ends:
            assert Object.objects.count() in (0, 8_000), "half a directory"
        assert Object.objects.count() in (0, 8_000), "half a directory"


def wait_for_the_write(site: Site) -> None:
    """Wait until the objects are being written."""
    ends = time.monotonic() + 40
    while time.monotonic() < ends:
        with site.orm():
            writing = Job.objects.filter(source_id="object", step="write", state="running").exists()
        if writing:
            return
        time.sleep(0.02)
    raise TimeoutError


def test_the_other_commands_know_a_route_without_a_target(reference, capsys):
    reference.run()
    for words in (["queue"], ["queue", "--json"], ["doctor"], ["export_config"], ["prune"]):
        out = io.StringIO()
        with contextlib.suppress(SystemExit, CommandError):  # the doctor finds that no worker runs
            call_command(*words, stdout=out)
        assert "Traceback" not in out.getvalue()
        assert "directories" in out.getvalue() or words[0] in ("doctor", "prune")
    with pytest.raises(CommandError, match="cannot list its records"):
        call_command("resync", "--route", "directories", "--all")


def test_old_runs_are_deleted(reference):
    reference.run()
    assert DirectoryRun.objects.count() == 5
    DirectoryRun.objects.exclude(directory__slug="city").update(started_at="2020-01-01T00:00:00Z")
    call_command("prune", stdout=io.StringIO())
    assert [run.directory.slug for run in DirectoryRun.objects.all()] == ["city"]
