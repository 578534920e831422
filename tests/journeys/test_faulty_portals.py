"""Portals that cut, refuse, fail and go away: nothing is lost, nothing is doubled, nobody has to help."""

import time

import pytest

from sandbox.demo import prove, wait_until
from sync.models import Pace, Portal

pytestmark = pytest.mark.journey


def breaker_is_open(rehearsal, slug):
    with rehearsal.site.orm():
        return Pace.objects.get(portal__slug=slug).is_away


def test_faults_lose_and_double_nothing(stage):
    rehearsal = stage()
    faults = {"cut": 0.2, "refuse": 0.1, "command_error": 0.05, "seed": 7}
    rehearsal.source.post("faults", faults)
    rehearsal.target.post("faults", faults)
    rehearsal.listen()
    ids = rehearsal.seed(500)
    # a deal with bad luck six times waits a minute, with bad luck seven times two
    counts = rehearsal.wait_until_idle(seconds=300, arrivals=len(ids))
    proof = prove(rehearsal, ids)
    assert proof.holds, (str(proof), counts)
    assert rehearsal.target.get("stats")["duplicates_by_origin"] == 0
    assert counts["jobs"]["failed"] == 0


@pytest.mark.parametrize("where", ["middle", "inside"])
def test_answers_cut_in_the_middle_create_nothing_twice(stage, where):
    rehearsal = stage()
    rule = {"cut": 1.0, "cut_where": where, "count": 3, "methods": ["crm.item.add"]}
    rehearsal.target.post("faults", {"rules": [rule]})
    rehearsal.listen()
    ids = rehearsal.seed(120)
    rehearsal.wait_until_idle(seconds=60, arrivals=len(ids))
    proof = prove(rehearsal, ids)
    assert proof.holds, str(proof)


def test_a_lost_answer_to_the_comment_writes_no_second_comment(stage):
    rehearsal = stage()
    rule = {"cut": 1.0, "count": 2, "methods": ["crm.timeline.comment.add"]}
    rehearsal.source.post("faults", {"rules": [rule]})
    rehearsal.listen()
    ids = rehearsal.seed(60)
    rehearsal.wait_until_idle(seconds=60, arrivals=len(ids))
    proof = prove(rehearsal, ids)
    assert proof.holds, str(proof)


def test_portal_away_in_mid_run_fails_no_job_and_is_only_probed(stage):
    rehearsal = stage()
    rehearsal.listen()
    first = rehearsal.seed(100)
    wait_until(lambda: len(rehearsal.target.deals()) >= 50, seconds=30, what=rehearsal.worker.output)
    rehearsal.target.post("faults", {"away": True})
    second = rehearsal.seed(300)
    wait_until(lambda: breaker_is_open(rehearsal, "vinipol"), seconds=60, what=rehearsal.worker.output)
    before = rehearsal.target.get("stats")["requests"]
    time.sleep(20)
    probes = rehearsal.target.get("stats")["requests"] - before
    assert probes <= 5, probes
    counts = rehearsal.queue()["jobs"]
    assert counts["failed"] == 0, counts
    rehearsal.target.post("faults", {})
    rehearsal.wait_until_idle(seconds=120, arrivals=400)
    proof = prove(rehearsal, first + second)
    assert proof.holds, str(proof)


def test_a_portal_that_hangs_gets_smaller_parcels_and_all_deals(stage):
    rehearsal = stage()
    rehearsal.target.post("limits", {"request_limit": 2})
    rehearsal.target.post("faults", {"command_latency": 0.1})  # fifty creates would take five seconds
    rehearsal.listen()
    ids = rehearsal.seed(60)
    rehearsal.wait_until_idle(seconds=150, arrivals=len(ids))
    proof = prove(rehearsal, ids)
    assert proof.holds, str(proof)


def test_a_moved_portal_is_followed_and_its_new_address_kept(stage):
    rehearsal = stage()
    port = rehearsal.target.port
    rehearsal.target.post("faults", {"rules": [{"rename_to": f"localhost:{port}", "count": 1}]})
    rehearsal.listen()
    ids = rehearsal.seed(3)
    rehearsal.wait_until_idle(seconds=60, arrivals=len(ids))
    assert prove(rehearsal, ids).holds
    with rehearsal.site.orm():
        moved = Portal.objects.get(slug="vinipol").webhook_url
    assert moved == f"http://localhost:{port}/rest/1/demo0code/"


def test_an_ended_licence_stops_after_a_few_jobs_and_the_rest_goes_on_by_itself(stage):
    rehearsal = stage()
    rehearsal.target.post("faults", {"licence": "PAYMENT_REQUIRED"})
    rehearsal.listen()
    ids = rehearsal.seed(300)
    time.sleep(15)
    counts = rehearsal.queue()["jobs"]
    # the parcels of both slots may be under way when the first refusal opens the breaker; then one by one
    assert 0 < counts["failed"] <= 2 * 50 + 5, counts
    rehearsal.target.post("faults", {})
    wait_until(lambda: rehearsal.queue()["jobs"]["waiting"] == 0, seconds=90, what=rehearsal.worker.output)
    rehearsal.manage("retry", "--failure", "config")
    rehearsal.wait_until_idle(seconds=60, arrivals=len(ids))
    assert prove(rehearsal, ids).holds
