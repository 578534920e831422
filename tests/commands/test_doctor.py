"""`manage.py doctor`: what it finds, what it advises, and that it keeps within the portals' limits."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from sandbox.emulators.bitrix24.entities import DEAL
from sandbox.emulators.bitrix24.userfieldrows import add_user_field
from sync.models import FieldMapping, Heartbeat, Job, Pace, Portal, Route, ValueMapping
from tests.commands.conftest import ROUTE, TOKEN, CommandSite, install
from tests.databases import MYSQL_URL, _cursor
from tests.processes import Site

SEGMENT = "UF_CRM_1773568798364"


@pytest.fixture
def well(pair: CommandSite) -> CommandSite:
    """An installation without a fault: its worker is alive."""
    with pair.site.orm():
        Heartbeat.beat("host:1")
    return pair


def _examine(pair: CommandSite, **environment: str) -> tuple[int, list[dict[str, str]]]:
    """Run the doctor: its exit code and findings, after a check of counts and secrets."""
    done = pair.run("doctor", "--json", **environment)
    report: dict[str, Any] = json.loads(done.out)
    levels = [one["level"] for one in report["findings"]]
    assert (report["faults"], report["warnings"]) == (levels.count("fault"), levels.count("warn"))
    assert done.code == (1 if report["faults"] else 0), done.err
    for secret in (TOKEN, "demo0code", "wrongc0de", "b24_test:b24_test"):
        assert secret not in done.out + done.err
    return done.code, report["findings"]


def _only_fault(pair: CommandSite, *, where: str, **environment: str) -> dict[str, str]:
    """The only fault that the doctor finds, which is at `where`."""
    code, findings = _examine(pair, **environment)
    faults = [one for one in findings if one["level"] == "fault"]
    assert code == 1
    assert len(faults) == 1, faults
    assert faults[0]["where"] == where
    return faults[0]


def _warnings(pair: CommandSite, *, where: str) -> list[str]:
    """The warnings at `where`; the doctor finds no fault."""
    code, findings = _examine(pair)
    assert code == 0, findings
    return [one["what"] for one in findings if one["level"] == "warn" and one["where"] == where]


def test_all_well_on_both_engines(site: Site) -> None:
    pair = install(site)
    with site.orm():
        Heartbeat.beat("host:1")
    code, findings = _examine(pair)
    assert code == 0
    wheres = {one["where"] for one in findings if one["level"] == "ok"}
    assert wheres >= {"settings", "database", "queue", "workers", "portal a", "portal b", f"route {ROUTE}"}
    assert all(one["todo"] for one in findings if one["level"] == "warn")
    assert (pair.a.stats()["requests"], pair.b.stats()["requests"]) == (1, 1), "one batch a portal"
    pair.a.stop()
    pair.b.stop()


def test_form_for_people(well: CommandSite) -> None:
    well.map("UF_CRM_NOBODY")
    done = well.run("doctor")
    assert done.code == 1
    assert "✓ database: " in done.out
    assert "✗ route a-b: TITLE → UF_CRM_NOBODY: b has no field UF_CRM_NOBODY.\n    → " in done.out
    assert done.out.splitlines()[-1].startswith("1 faults, ")


# --- portals -----------------------------------------------------------------------------------------


def test_wrong_key(well: CommandSite) -> None:
    well.change_portal("a", webhook_url=well.a.url.replace("demo0code", "wrongc0de"))
    assert "incoming webhook" in _only_fault(well, where="portal a")["what"]


def test_portal_does_not_answer(well: CommandSite) -> None:
    well.b.stop()
    assert "cannot be reached" in _only_fault(well, where="portal b")["what"]


def test_permission_is_missing(well: CommandSite) -> None:
    well.a.portal.settings.scopes = ["user", "disk"]
    fault = _only_fault(well, where="portal a")
    assert "crm.item.list" in fault["what"]
    assert "Add the permission crm to" in fault["todo"]


def test_permission_that_work_can_do_without(well: CommandSite) -> None:
    well.a.portal.settings.scopes = ["crm", "disk"]
    [warning] = _warnings(well, where="portal a")
    assert warning == "Not open to us: user.get. Records go without what it brings."


def test_host_is_not_allowed(well: CommandSite) -> None:
    well.change_portal("a", webhook_url="https://portal.example.com/rest/1/demo0code/")
    assert "PORTAL_HOSTS" in _only_fault(well, where="portal a")["what"]


def test_no_inbound_token(well: CommandSite) -> None:
    well.change_portal("a", inbound_token="")
    assert "no inbound token" in _only_fault(well, where="portal a")["what"]


def test_more_requests_than_the_vendor_allows(well: CommandSite) -> None:
    well.change_portal("a", requests_per_minute=600, bucket_leak=2)
    assert "600 requests a minute are more" in _warnings(well, where="portal a")[0]


def test_clock_is_wrong(well: CommandSite) -> None:
    well.a.portal.settings.clock = lambda: time.time() + 600
    [warning] = _warnings(well, where="portal a")
    assert "clock" in warning


def test_paused_portal_is_left_alone(well: CommandSite) -> None:
    well.change_portal("a", is_paused=True)
    assert _warnings(well, where="portal a") == ["It is paused: nothing is sent to it."]
    assert well.a.stats()["requests"] == 0


def test_open_breaker_is_not_forced(well: CommandSite) -> None:
    with well.site.orm():
        pace = Pace.of(Portal.objects.get(slug="a"))
        for _ in range(8):
            pace.failed_one("a: the portal cannot be reached.", began=time.time(), now=time.time())
    assert "tried again in" in _only_fault(well, where="portal a")["what"]
    assert well.a.stats()["requests"] == 0


def test_pace_is_not_broken(well: CommandSite) -> None:
    with well.site.orm():
        Pace.of(Portal.objects.get(slug="a")).push(60, now=time.time())
    [warning] = _warnings(well, where="portal a")
    assert "its limit allows the next request in" in warning
    assert well.a.stats()["requests"] == 0


def test_short_wait_is_waited_and_shown(well: CommandSite) -> None:
    with well.site.orm():
        Pace.of(Portal.objects.get(slug="a")).push(8, now=time.time())  # the doctor may be slow to start
    done = well.run("doctor")
    assert done.code == 0
    assert "a: waiting" in done.err
    assert well.a.stats()["requests"] == 1


# --- routes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ({"to": "UF_CRM_NOBODY"}, "b has no field UF_CRM_NOBODY"),
        ({"to": "DATE_CREATE"}, "field DATE_CREATE of b cannot be written"),
        ({"to": "COMMENTS", "source": "UF_CRM_GONE"}, "has no field UF_CRM_GONE"),
        (
            {"to": "COMMENTS", "source": "x", "origin": "param", "fallback": "UF_CRM_GONE"},
            "no field UF_CRM_GONE",
        ),
        (
            {"to": "COMMENTS", "source": "{UF_CRM_GONE}: {comment}", "origin": "template"},
            "no field UF_CRM_GONE",
        ),
        ({"to": "CATEGORY_ID", "source": "99", "origin": "value"}, "b has no 99 in CATEGORY_ID"),
        ({"to": "STAGE_ID", "source": "NOWHERE", "origin": "value"}, "b has no NOWHERE in STAGE_ID"),
        ({"to": SEGMENT, "source": "9999", "origin": "value"}, f"b has no 9999 in {SEGMENT}"),
        ({"to": SEGMENT, "source": "x", "origin": "param", "default": "77"}, f"b has no 77 in {SEGMENT}"),
        ({"to": "COMMENTS", "source": "UF_CRM_GONE", "direction": "back"}, "no field UF_CRM_GONE"),
        ({"to": "UF_CRM_NOBODY", "direction": "back"}, "a has no field UF_CRM_NOBODY"),
        ({"to": "STAGE_ID", "source": "C2:X", "origin": "value", "direction": "back"}, "a has no C2:X"),
    ],
)
def test_mapping_that_does_not_fit(well: CommandSite, mapping: dict[str, str], text: str) -> None:
    well.map(**mapping)
    fault = _only_fault(well, where=f"route {ROUTE}")
    assert text in fault["what"]
    assert fault["todo"]


def test_value_list_that_does_not_fit(well: CommandSite) -> None:
    with well.site.orm():
        row = FieldMapping.objects.create(
            route=Route.objects.get(), to=SEGMENT, origin="param", source="segment", otherwise="skip"
        )
        ValueMapping.objects.create(mapping=row, value="конечник", becomes="1321")
        ValueMapping.objects.create(mapping=row, value="дизайнер", becomes="1")
    assert f"b has no 1 in {SEGMENT}" in _only_fault(well, where=f"route {ROUTE}")["what"]


def test_stage_of_another_funnel(well: CommandSite) -> None:
    well.map("STAGE_ID", "C25:NEW", origin="value")
    fault = _only_fault(well, where=f"route {ROUTE}")
    assert fault["what"] == "New deals get stage C25:NEW, but funnel 0."
    well.map("CATEGORY_ID", "25", origin="value")
    assert _warnings(well, where=f"route {ROUTE}") == []


def test_feedback_stage_that_does_not_exist(well: CommandSite) -> None:
    with well.site.orm():
        Route.objects.update(options={"stage": "C2:NOWHERE"})
    assert "C2:NOWHERE" in _only_fault(well, where=f"route {ROUTE}")["what"]
    with well.site.orm():
        Route.objects.update(options={"stage": "C2:UC_MXQPC8"})
    assert _warnings(well, where=f"route {ROUTE}") == []


def test_options_that_are_wrong(well: CommandSite) -> None:
    with well.site.orm():
        Route.objects.update(options={"nonsense": 1})
    assert "nonsense" in _only_fault(well, where=f"route {ROUTE}")["what"]


def test_required_field_that_nothing_fills(well: CommandSite) -> None:
    field = {"FIELD_NAME": "UF_CRM_MUST", "USER_TYPE_ID": "string", "LABEL": "Must", "MANDATORY": "Y"}
    add_user_field(well.b.portal, well.b.portal.entities[DEAL], written=field)
    [warning] = _warnings(well, where=f"route {ROUTE}")
    assert warning == "b requires field UF_CRM_MUST (Must), and no mapping fills it."


def test_list_items_that_the_target_lacks(well: CommandSite) -> None:
    well.map(SEGMENT, SEGMENT)
    [warning] = _warnings(well, where=f"route {ROUTE}")
    assert "1321 (конечник), 1323 (дизайнер)" in warning


# --- this installation ----------------------------------------------------------------------------------


def test_no_worker(pair: CommandSite) -> None:
    assert "No worker is alive" in _only_fault(pair, where="workers")["what"]


def test_schedule_is_missing_or_late(well: CommandSite) -> None:
    with well.site.orm():
        Schedule.objects.filter(func="sync.tasks.prune").delete()
    assert "sync.tasks.prune is missing" in _only_fault(well, where="queue")["what"]
    assert well.run("migrate", "--verbosity", "0").code == 0
    with well.site.orm():
        Schedule.objects.filter(func="sync.tasks.sweep").update(next_run=timezone.now() - timedelta(hours=2))
    assert "sync.tasks.sweep should have run 2 h 0 min ago" in _only_fault(well, where="queue")["what"]


def test_wakeup_that_nobody_takes(well: CommandSite) -> None:
    with well.site.orm():
        OrmQ.objects.create(key="bus", payload="x", lock=timezone.now() - timedelta(minutes=9))
    assert "A wake-up has waited for 9 min" in _only_fault(well, where="queue")["what"]


def test_failed_jobs_are_a_warning(well: CommandSite) -> None:
    well.add_jobs(2, state=Job.State.FAILED, failure="config")
    assert _warnings(well, where="queue") == ["2 jobs have failed."]


def test_settings_that_are_for_development(well: CommandSite) -> None:
    _, findings = _examine(well, DEBUG="true", ALLOWED_HOSTS="*", SECRET_KEY="short")
    warnings = " ".join(
        one["what"] for one in findings if one["where"] == "settings" and one["level"] == "warn"
    )
    for word in ("DEBUG", "ALLOWED_HOSTS", "SECRET_KEY", "HTTPS", "ALLOW_PRIVATE_HOSTS"):
        assert word in warnings


def test_key_of_stored_secrets_is_gone(well: CommandSite) -> None:
    fault = _only_fault(
        well, where="settings", FIELD_ENCRYPTION_KEYS="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    )
    assert "FIELD_ENCRYPTION_KEYS" in fault["what"]


def test_redis_does_not_answer(well: CommandSite) -> None:
    assert "REDIS_URL" in _only_fault(well, where="settings", REDIS_URL="redis://127.0.0.1:1/0")["what"]


def test_migrations_are_missing(well: CommandSite) -> None:
    assert well.run("migrate", "django_q", "zero", "--verbosity", "0").code == 0
    fault = _only_fault(well, where="database")
    assert "migrations are missing" in fault["what"]
    assert "manage.py migrate" in fault["todo"]


def test_database_is_away(well: CommandSite) -> None:
    url = "mysql://b24_test:b24_test@127.0.0.1:1/nowhere"
    assert "does not answer" in _only_fault(well, where="database", DATABASE_URL=url)["what"]


def test_mysql_that_cannot_hold_every_letter(mysql_site: Site) -> None:
    pair = install(mysql_site)
    name = mysql_site.database_url.removeprefix(MYSQL_URL)
    with mysql_site.orm():
        Heartbeat.beat("host:1")
    with _cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} CHARACTER SET latin1")
    assert "latin1" in _only_fault(pair, where="database")["what"]
    pair.a.stop()
    pair.b.stop()


def test_no_portals_yet(sqlite_site: Site) -> None:
    with sqlite_site.orm():
        Heartbeat.beat("host:1")
    done = sqlite_site.call("doctor")
    assert done.code == 1
    assert "import_config" in done.out
