"""An empty database gets its portals from the environment and its schedules, once."""

import ast
import logging

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule

from sync.config.first_start import EXAMPLES, ensure_schedules, first_start
from sync.errors import ConfigRefused
from sync.flows import FLOWS
from sync.models import Portal, Route

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(settings, environ):
    """Settings that name the two portals of deals."""
    for name in EXAMPLES["examples/vinilam-vinipol.yaml"]:
        setattr(settings, name, environ[name])
    settings.BITRIX_WEBHOOK_URL = ""


@pytest.fixture
def bare(settings):
    """Settings that name no portal."""
    for names in EXAMPLES.values():
        for name in names:
            setattr(settings, name, "")


def test_the_environment_makes_portals_and_their_route(filled):
    first_start()
    source, target = Portal.objects.get(slug="source"), Portal.objects.get(slug="vinipol")
    assert source.webhook_url == "https://vinilam.bitrix24.ru/rest/1/SourceCode/"
    assert target.webhook_url == "https://vinipol.bitrix24.ru/rest/7/TargetCode/"
    assert source.accepts(["inbound-secret"])
    route = Route.objects.get(slug="vinilam-vinipol")
    assert (route.source, route.target, route.mappings.count()) == (source, target, 17)


def test_where_there_is_a_portal_nothing_is_made(filled):
    Portal.objects.create(slug="mine", name="Mine", webhook_url="https://x.bitrix24.ru/rest/1/c/")
    assert first_start() == []
    assert Portal.objects.count() == 1


def test_without_settings_nothing_is_made(bare):
    assert first_start() == []
    assert not Portal.objects.exists()


def test_one_address_makes_the_route_of_leads(bare, environ, settings):
    settings.BITRIX_WEBHOOK_URL = "https://leads.bitrix24.ru/rest/1/LeadCode/"
    first_start()
    route = Route.objects.select_related("source", "target").get()
    assert (route.slug, route.flow, route.reconcile_minutes) == ("users-leads", "leads", 0)
    assert (route.source.slug, route.source.kind, route.source.webhook_url) == ("core", "core", "")
    assert (route.target.slug, route.target.webhook_url) == ("bitrix", settings.BITRIX_WEBHOOK_URL)
    assert "leads" in FLOWS


def test_both_routes_are_made_together_or_not_at_all(filled, settings):
    settings.BITRIX_WEBHOOK_URL = "https://leads.example.org/rest/1/LeadCode/"
    with pytest.raises(ConfigRefused):
        first_start()
    assert not Portal.objects.exists()
    settings.BITRIX_WEBHOOK_URL = "https://leads.bitrix24.ru/rest/1/LeadCode/"
    assert len(first_start()) == 2
    assert set(Route.objects.values_list("slug", flat=True)) == {"vinilam-vinipol", "users-leads"}


def test_half_of_the_settings_is_an_error(filled, settings):
    settings.BITRIX_TARGET_URL = ""
    with pytest.raises(ConfigRefused, match="BITRIX_TARGET_URL"):
        first_start()
    assert not Portal.objects.exists()


def test_migrate_sets_an_empty_database_up(filled):
    Schedule.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert Portal.objects.count() == 2
    assert set(Schedule.objects.values_list("func", flat=True)) == {
        "sync.tasks.sweep",
        "sync.tasks.prune",
        "sync.tasks.sync_directories",
    }


def test_migrate_survives_a_wrong_address_and_says_so(filled, settings, caplog):
    settings.BITRIX_SOURCE_URL = "https://vinilam.example.org/rest/1/SourceCode/"
    with caplog.at_level(logging.ERROR, logger="sync.config.first_start"):
        call_command("migrate", verbosity=0)
    assert not Portal.objects.exists()
    assert "vinilam.example.org" in caplog.text
    assert "SourceCode" not in caplog.text


def test_schedules_are_made_as_the_worker_needs_them():
    Schedule.objects.all().delete()
    assert ensure_schedules() == ["sweep", "prune", "directories"]
    sweep = Schedule.objects.get(name="sweep")
    assert (sweep.schedule_type, sweep.minutes, sweep.repeats, sweep.cluster) == ("I", 1, -1, None)
    assert ast.literal_eval(sweep.kwargs) == {"q_options": {"save": False}}


def test_what_staff_changed_in_a_schedule_stays():
    ensure_schedules()
    Schedule.objects.filter(func="sync.tasks.sweep").update(name="my sweep", minutes=5, repeats=0)
    assert ensure_schedules() == []
    assert Schedule.objects.get(func="sync.tasks.sweep").minutes == 5


def test_directories_are_read_by_the_schedule_of_the_environment(settings):
    Schedule.objects.all().delete()
    settings.SYNC_SCHEDULE = "30 4 * * 1"
    ensure_schedules()
    row = Schedule.objects.get(func="sync.tasks.sync_directories")
    assert (row.schedule_type, row.cron, row.repeats) == ("C", "30 4 * * 1", -1)
    moment = timezone.localtime(row.next_run)
    assert (moment.weekday(), moment.hour, moment.minute) == (0, 4, 30)
    assert row.next_run > timezone.now()


def test_a_wrong_schedule_is_logged(settings, caplog):
    Schedule.objects.all().delete()
    settings.SYNC_SCHEDULE = "at midnight"
    with caplog.at_level(logging.ERROR, logger="sync.config.first_start"):
        assert ensure_schedules() == ["sweep", "prune"]
    assert "SYNC_SCHEDULE" in caplog.text
