"""Users of the API become leads without RabbitMQ: web and worker alone, real processes, a faulty portal."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sandbox.demo import DemoUsers, wait_until
from tests.journeys.conftest import PairRig, on_mysql

pytestmark = pytest.mark.journey


@on_mysql
def test_every_user_has_one_lead_whatever_the_portal_answers(start_rig: Callable[..., PairRig]) -> None:
    rig = start_rig()
    rig.target.post(
        "faults",
        {"cut": 0.2, "refuse": 0.2, "command_error": 0.05, "html": 0.1, "hang": 0.02, "hang_seconds": 3},
    )
    people = DemoUsers(rig)
    people.add(80)
    time.sleep(6)
    rig.target.post("faults", {})
    wait_until(lambda: people.prove().holds, seconds=120, what=lambda: f"{people.prove()} {rig.failures()}")
    assert rig.failures() == []
    check_that_the_proof_finds_mistakes(rig, people)


def check_that_the_proof_finds_mistakes(rig: PairRig, people: DemoUsers) -> None:
    """Delete, double and exchange leads: the proof that just held must name each."""
    leads = rig.target.get("leads")["leads"]
    first, second, third = sorted(leads, key=lambda lead: int(lead["ORIGIN_ID"]))[:3]
    rig.target.call("crm.lead.delete", {"id": first["ID"]})
    rig.target.call("crm.lead.add", {"fields": {"ORIGIN_ID": second["ORIGIN_ID"]}})
    rig.target.call("crm.lead.delete", {"id": third["ID"]})
    rig.target.call("crm.lead.add", {"fields": {"ORIGIN_ID": third["ORIGIN_ID"]}})
    proof = people.prove()
    assert not proof.holds
    assert proof.lost == [first["ORIGIN_ID"]]
    assert proof.doubled == [second["ORIGIN_ID"]]
    assert proof.unreported == [third["ORIGIN_ID"]]
