"""`manage.py doctor` and leads: the users API is left alone, the portal is asked for what leads need."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.emulators import bitrix24
from sync.models import FieldMapping, Heartbeat, Portal, Route, ValueMapping
from tests.processes import Site


@dataclass
class Desk:
    """A site whose users become leads of one portal."""

    site: Site
    crm: bitrix24.Emulator

    def findings(self) -> list[dict[str, str]]:
        """What the doctor says."""
        told: dict[str, Any] = json.loads(self.site.manage("doctor", "--json").out)
        return [one for one in told["findings"] if one["where"].split()[0] in ("portal", "route")]

    def map(self, to: str, source: str, **columns: str) -> FieldMapping:
        """One more mapping of the route."""
        return FieldMapping.objects.create(route=Route.objects.get(), to=to, source=source, **columns)


@pytest.fixture
def desk(sqlite_site: Site) -> Iterator[Desk]:
    crm = bitrix24.start()
    with sqlite_site.orm():
        core = Portal.objects.create(slug="core", kind=Portal.Kind.CORE)
        target = Portal.objects.create(slug="crm", webhook_url=crm.url)
        Route.objects.create(slug="users-leads", flow=Route.Flow.LEADS, source=core, target=target)
        Heartbeat.beat("host:1")
    yield Desk(sqlite_site, crm)
    crm.stop()


def test_all_is_well_without_an_inbound_token(desk: Desk) -> None:
    findings = desk.findings()
    assert [one for one in findings if one["level"] != "ok"] == []
    assert {one["where"] for one in findings} == {"portal core", "portal crm", "route users-leads"}
    assert "IN_PROCESS" in findings[-1]["what"], "it names the stages that users may have"
    assert desk.crm.stats()["requests"] == 1
    assert "crm.lead.add" not in desk.crm.stats()["calls"]


def test_a_portal_in_the_simple_mode(desk: Desk) -> None:
    desk.crm.portal.settings.crm_mode = 2
    [told] = [one for one in desk.findings() if one["level"] == "fault"]
    assert told["where"] == "route users-leads"
    assert "simple" in told["what"]


def test_mappings_that_do_not_fit(desk: Desk) -> None:
    with desk.site.orm():
        desk.map("NO_FIELD", "full_name", origin="param")
        desk.map("DATE_CREATE", "full_name", origin="param")
        stage = desk.map("STATUS_ID", "stage", origin="param", default="ALSO_NOT")
        ValueMapping.objects.create(mapping=stage, value="client", becomes="NO_SUCH")
        ValueMapping.objects.create(mapping=stage, value="lead", becomes="NEW")
    told = [one["what"] for one in desk.findings() if one["level"] == "fault"]
    assert len(told) == 4
    for number, word in enumerate(("NO_FIELD", "DATE_CREATE", "ALSO_NOT", "NO_SUCH")):
        assert word in told[number]


def test_a_stage_that_is_fixed(desk: Desk) -> None:
    with desk.site.orm():
        desk.map("STATUS_ID", "JUNK", origin="value", when="create")
        desk.map("STATUS_ID", "NOT_THERE", origin="value", when="update")
    told = [one["what"] for one in desk.findings() if one["level"] == "fault"]
    assert ["NOT_THERE" in one for one in told] == [True]
