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
class DoctorRig:
    """An installation with a route of leads to one emulated portal."""

    site: Site
    crm: bitrix24.Emulator

    def findings(self) -> list[dict[str, str]]:
        """What the doctor finds about portals and routes."""
        report: dict[str, Any] = json.loads(self.site.call("doctor", "--json").out)
        return [one for one in report["findings"] if one["where"].split()[0] in ("portal", "route")]

    def map(self, to: str, source: str, **columns: str) -> FieldMapping:
        """Add a field mapping to the route; inside `site.orm()`."""
        return FieldMapping.objects.create(route=Route.objects.get(), to=to, source=source, **columns)


@pytest.fixture
def rig(sqlite_site: Site) -> Iterator[DoctorRig]:
    """The installation, without a fault."""
    crm = bitrix24.start()
    with sqlite_site.orm():
        core = Portal.objects.create(slug="core", kind="core")
        target = Portal.objects.create(slug="crm", webhook_url=crm.url)
        Route.objects.create(slug="users-leads", flow="leads", source=core, target=target)
        Heartbeat.beat("host:1")
    yield DoctorRig(sqlite_site, crm)
    crm.stop()


def test_all_is_well_without_an_inbound_token(rig: DoctorRig) -> None:
    findings = rig.findings()
    assert [one for one in findings if one["level"] != "ok"] == []
    assert {one["where"] for one in findings} == {"portal core", "portal crm", "route users-leads"}
    assert "IN_PROCESS" in findings[-1]["what"], "it names the stages that users may have"
    assert rig.crm.stats()["requests"] == 1
    assert "crm.lead.add" not in rig.crm.stats()["calls"]


def test_a_portal_in_the_simple_mode(rig: DoctorRig) -> None:
    rig.crm.portal.settings.crm_mode = 2
    [fault] = [one for one in rig.findings() if one["level"] == "fault"]
    assert fault["where"] == "route users-leads"
    assert "simple" in fault["what"]


def test_mappings_that_do_not_fit(rig: DoctorRig) -> None:
    with rig.site.orm():
        rig.map("NO_FIELD", "full_name", origin="param")
        rig.map("DATE_CREATE", "full_name", origin="param")
        stage = rig.map("STATUS_ID", "stage", origin="param", default="ALSO_NOT")
        ValueMapping.objects.create(mapping=stage, value="client", becomes="NO_SUCH")
        ValueMapping.objects.create(mapping=stage, value="lead", becomes="NEW")
    faults = [one["what"] for one in rig.findings() if one["level"] == "fault"]
    assert len(faults) == 4
    for number, word in enumerate(("NO_FIELD", "DATE_CREATE", "ALSO_NOT", "NO_SUCH")):
        assert word in faults[number]


def test_a_stage_that_is_fixed(rig: DoctorRig) -> None:
    with rig.site.orm():
        rig.map("STATUS_ID", "JUNK", origin="value", when="create")
        rig.map("STATUS_ID", "NOT_THERE", origin="value", when="update")
    faults = [one["what"] for one in rig.findings() if one["level"] == "fault"]
    assert ["NOT_THERE" in one for one in faults] == [True]
