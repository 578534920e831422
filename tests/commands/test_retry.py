"""`manage.py retry`: which failed jobs wait again, and who is woken."""

from django_q.models import OrmQ

from sync.models import Job, Portal, Route
from tests.commands.conftest import ROUTE, CommandSite, install
from tests.processes import Site


def _fail(pair: CommandSite) -> None:
    """Add five failed jobs, one done and one cancelled."""
    pair.add_jobs(3, first=1, state="failed", failure="config", attempts=4, note="unmapped", step="create")
    pair.add_jobs(2, first=11, state="failed", failure="exhausted", attempts=10)
    pair.add_jobs(1, first=21, state="done")
    pair.add_jobs(1, first=31, state="cancelled")


def test_all_failed_ones_on_both_engines(site: Site) -> None:
    pair = install(site)
    _fail(pair)
    done = pair.run("retry")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [f"{ROUTE}  config  3", f"{ROUTE}  exhausted  2", "5 jobs wait again."]
    again = pair.jobs(state="waiting")
    assert len(again) == 5
    assert {(job.attempts, job.failure, job.note) for job in again} == {(0, "", "")}
    assert {job.step for job in again} == {"create", "fetch"}, "each goes on where it stopped"
    assert all(job.head_of == job.lane and job.due_at for job in again)
    assert [job.state for job in pair.jobs(pk__gt=5)] == ["done", "cancelled"]
    with site.orm():
        assert OrmQ.objects.count() == 1, "one wake-up for the portal, not one a job"
    pair.a.stop()
    pair.b.stop()


def test_by_word(pair: CommandSite) -> None:
    _fail(pair)
    assert pair.run("retry", "--failure", "exhausted").out.splitlines()[-1] == "2 jobs wait again."
    assert {job.failure for job in pair.jobs(state="failed")} == {"config"}


def test_by_route(pair: CommandSite) -> None:
    with pair.site.orm():
        a, b = Portal.objects.get(slug="a"), Portal.objects.get(slug="b")
        Route.objects.create(slug="b-a", source=b, target=a)
    _fail(pair)
    pair.add_jobs(4, route="b-a", first=1, state="failed", failure="config")
    assert pair.run("retry", "--route", "b-a").out.splitlines() == ["b-a  config  4", "4 jobs wait again."]
    assert len(pair.jobs(state="failed")) == 5


def test_by_ids(pair: CommandSite) -> None:
    _fail(pair)
    assert pair.run("retry", "--ids", "2,11,999").code == 0
    assert [job.source_id for job in pair.jobs(state="waiting")] == ["2", "11"]


def test_dry_run_changes_nothing(pair: CommandSite) -> None:
    _fail(pair)
    assert pair.run("retry", "--dry-run").out.splitlines()[-1] == "5 jobs would be sent again."
    assert len(pair.jobs(state="failed")) == 5


def test_newer_job_of_the_lane_waits_behind(pair: CommandSite) -> None:
    _fail(pair)
    with pair.site.orm():
        old = Job.objects.get(source_id="1")
        columns = {"route": old.route, "kind": "deal", "source_id": "1", "lane": old.lane, "step": "fetch"}
        Job.objects.create(portal_id=old.portal_id, head_of=old.lane, state="running", **columns)
    assert pair.run("retry", "--ids", "1").code == 0
    [again] = pair.jobs(state="waiting")
    assert (again.head_of, again.due_at) == (None, None), "a lane never runs twice at once"


def test_bad_input_is_refused(pair: CommandSite) -> None:
    _fail(pair)
    for words, error in (
        (("--failure", "nonsense"), "There are: config, refused, exhausted, bug."),
        (("--route", "nobody"), "There are: a-b."),
        (("--ids", "x"), "IDs are numbers"),
    ):
        done = pair.run("retry", *words)
        assert done.code == 1
        assert error in done.err
    assert len(pair.jobs(state="failed")) == 5
