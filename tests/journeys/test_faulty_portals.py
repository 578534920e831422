"""Portals that cut, refuse, fail and go away: nothing is lost or doubled, and staff need not act."""

import time

import pytest

from sandbox.demo import prove, wait_until
from sync.models import Pace, Portal
from tests.journeys.conftest import on_mysql, on_sqlite

pytestmark = pytest.mark.journey


def breaker_is_open(installation, slug):
    """Whether the portal counts as away."""
    with installation.site.orm():
        return Pace.objects.get(portal__slug=slug).is_away


def test_faults_lose_and_double_nothing(start_rig):
    installation = start_rig()
    faults = {"cut": 0.2, "refuse": 0.1, "command_error": 0.05, "seed": 7}
    installation.source.post("faults", faults)
    installation.target.post("faults", faults)
    installation.listen()
    ids = installation.seed(200)
    # a deal with bad luck six times waits a minute, with bad luck seven times two
    counts = installation.wait_until_idle(seconds=300, arrivals=len(ids))
    proof = prove(installation, ids)
    assert proof.holds, (str(proof), counts)
    assert installation.target.get("stats")["duplicates_by_origin"] == 0
    assert counts["jobs"]["failed"] == 0


@pytest.mark.parametrize(("site", "where"), [("sqlite", "middle"), ("mysql", "inside")], indirect=["site"])
def test_answers_cut_in_the_middle_create_nothing_twice(start_rig, where):
    installation = start_rig()
    rule = {"cut": 1.0, "cut_where": where, "count": 3, "methods": ["crm.item.add"]}
    installation.target.post("faults", {"rules": [rule]})
    installation.listen()
    ids = installation.seed(120)
    installation.wait_until_idle(seconds=60, arrivals=len(ids))
    proof = prove(installation, ids)
    assert proof.holds, str(proof)


@on_sqlite
def test_a_lost_answer_to_the_comment_writes_no_second_comment(start_rig):
    installation = start_rig()
    rule = {"cut": 1.0, "count": 2, "methods": ["crm.timeline.comment.add"]}
    installation.source.post("faults", {"rules": [rule]})
    installation.listen()
    ids = installation.seed(60)
    installation.wait_until_idle(seconds=60, arrivals=len(ids))
    proof = prove(installation, ids)
    assert proof.holds, str(proof)


@on_mysql
def test_portal_away_in_mid_run_fails_no_job_and_is_only_probed(start_rig):
    installation = start_rig()
    installation.listen()
    first = installation.seed(100)
    wait_until(lambda: len(installation.target.deals()) >= 50, seconds=30, what=installation.worker.output)
    installation.target.post("faults", {"away": True})
    second = installation.seed(300)
    wait_until(lambda: breaker_is_open(installation, "vinipol"), seconds=60, what=installation.worker.output)
    before = installation.target.get("stats")["requests"]
    time.sleep(10)
    probes = installation.target.get("stats")["requests"] - before
    assert probes <= 3, probes
    counts = installation.queue()["jobs"]
    assert counts["failed"] == 0, counts
    installation.target.post("faults", {})
    installation.wait_until_idle(seconds=120, arrivals=400)
    proof = prove(installation, first + second)
    assert proof.holds, str(proof)


@on_sqlite
def test_a_portal_that_hangs_gets_smaller_parcels_and_all_deals(start_rig):
    installation = start_rig()
    installation.target.post("limits", {"request_limit": 2})
    installation.target.post("faults", {"command_latency": 0.1})  # fifty creates would take five seconds
    installation.listen()
    ids = installation.seed(60)
    installation.wait_until_idle(seconds=150, arrivals=len(ids))
    proof = prove(installation, ids)
    assert proof.holds, str(proof)


@on_mysql
def test_a_moved_portal_is_followed_and_its_new_address_kept(start_rig):
    installation = start_rig()
    port = installation.target.port
    installation.target.post("faults", {"rules": [{"rename_to": f"localhost:{port}", "count": 1}]})
    installation.listen()
    ids = installation.seed(3)
    installation.wait_until_idle(seconds=60, arrivals=len(ids))
    assert prove(installation, ids).holds
    with installation.site.orm():
        moved = Portal.objects.get(slug="vinipol").webhook_url
    assert moved == f"http://localhost:{port}/rest/1/demo0code/"


@on_sqlite
def test_an_ended_licence_stops_after_a_few_jobs_and_the_rest_goes_on_by_itself(start_rig):
    installation = start_rig()
    installation.target.post("faults", {"licence": "PAYMENT_REQUIRED"})
    installation.listen()
    ids = installation.seed(300)
    time.sleep(15)
    counts = installation.queue()["jobs"]
    # the parcels of both slots may be in flight when the first refusal opens the breaker; then one by one
    assert 0 < counts["failed"] <= 2 * 50 + 5, counts
    installation.target.post("faults", {})
    wait_until(
        lambda: installation.queue()["jobs"]["waiting"] == 0, seconds=90, what=installation.worker.output
    )
    installation.manage("retry", "--failure", "config")
    installation.wait_until_idle(seconds=60, arrivals=len(ids))
    assert prove(installation, ids).holds
