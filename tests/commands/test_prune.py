"""`manage.py prune`: what is deleted, and what never is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sync.models import Attempt, Event, Job, JobData, Link, Portal, Route
from tests.commands.conftest import CommandSite, install
from tests.processes import Site

OLD = timezone.now() - timedelta(days=100)
NEW = timezone.now() - timedelta(days=10)


def _history(pair: CommandSite) -> None:
    """Add jobs and events, old and new, ended and open."""
    for first, moment in ((1, OLD), (11, NEW)):
        for offset, state in enumerate(("done", "skipped", "failed", "cancelled")):
            pair.add_jobs(1, first=first + offset, state=state, created_at=moment, finished_at=moment)
    pair.add_jobs(1, first=21, state="waiting", created_at=OLD)
    pair.add_jobs(1, first=22, state="running", created_at=OLD)
    with pair.site.orm():
        portal = Portal.objects.get(slug="a")
        for name, outcome in (
            ("sorted", "queued"),
            ("ignored", "ignored"),
            ("open", "queued"),
            ("new", "waiting"),
        ):
            Event.objects.create(
                portal=portal, fingerprint=name, entity="deal", record_id="1", outcome=outcome
            )
        Event.objects.update(received_at=OLD)
        Event.objects.create(
            portal=portal, fingerprint="young", entity="deal", record_id="1", outcome="queued"
        )
        Job.objects.filter(source_id="1").update(event=Event.objects.get(fingerprint="sorted"))
        Job.objects.filter(source_id="21").update(event=Event.objects.get(fingerprint="open"))
        done = Job.objects.get(source_id="1")
        Attempt.objects.create(job=done, step="fetch", started_at=OLD, ended_at=OLD, outcome="passed")
        JobData.objects.create(job=done, content={})
        Link.objects.create(route=Route.objects.get(), source_id="1", target_id="2", state="linked")


def test_what_goes_and_what_stays_on_both_engines(site: Site) -> None:
    pair = install(site)
    _history(pair)
    done = pair.run("prune")
    assert (done.code, done.out.strip()) == (0, "6 rows are deleted."), done.err
    assert "prune: 6 of 6" in done.err
    assert [job.source_id for job in pair.jobs()] == ["11", "12", "13", "14", "21", "22"]
    with site.orm():
        kept = set(Event.objects.values_list("fingerprint", flat=True))
        assert kept == {"open", "new", "young"}, "of an open job, unsorted, young"
        assert Job.objects.get(source_id="21").event is not None
        assert Link.objects.count() == 1, "links are for ever"
        assert not Attempt.objects.exists()
        assert not JobData.objects.exists()
    pair.a.stop()
    pair.b.stop()


def test_days(pair: CommandSite) -> None:
    _history(pair)
    assert pair.run("prune", "--days", "5").code == 0
    assert [job.source_id for job in pair.jobs()] == ["21", "22"]


def test_setting(pair: CommandSite) -> None:
    _history(pair)
    assert pair.run("prune", RETENTION_DAYS="200").out.strip() == "0 rows are deleted."


def test_dry_run_deletes_nothing(pair: CommandSite) -> None:
    _history(pair)
    assert pair.run("prune", "--dry-run").out.strip() == "6 rows would be deleted."
    assert len(pair.jobs()) == 10


def test_many_rounds(pair: CommandSite) -> None:
    pair.add_jobs(2500, state="done", created_at=OLD, finished_at=OLD)
    assert pair.run("prune").out.strip() == "2500 rows are deleted."
    assert pair.jobs() == []


@pytest.mark.parametrize("days", ["0", "-1", "x"])
def test_bad_input_is_refused(pair: CommandSite, days: str) -> None:
    _history(pair)
    done = pair.run("prune", f"--days={days}")
    assert done.code != 0
    assert "Traceback" not in done.err
    assert len(pair.jobs()) == 10
