"""A burst of webhooks rings a worker now and then, and its last one is never left without a bell."""

from typing import Any

import environ

from sandbox.demo.processes import wait_until
from sync.models import Pace, Portal
from tests.api.conftest import TOKEN, Door, furnish
from tests.gate import Gate
from tests.processes import Site

PRESS_TWICE_AND_GO = """
import time
from sync.api.wakeup import DOORBELL
from sync.models import Pace
DOORBELL.press({portal})
while not Pace.objects.filter(portal_id={portal}, wake_at__gt=0).update(wake_at=None):
    time.sleep(0.001)
DOORBELL.press({portal})
"""

PRESS_AND_STAY = """
import time
from sync.api.wakeup import DOORBELL
DOORBELL.press({portal})
time.sleep(60)
"""


def _bells() -> Any:
    return Pace.objects.filter(portal__slug="source", wake_at__isnull=False)


def _is_rung(site: Site) -> bool:
    with site.orm():
        return bool(_bells().exists())


def _source(site: Site) -> int:
    furnish(site)
    with site.orm():
        return Portal.objects.get(slug="source").pk


def test_the_last_of_a_burst_rings_too(door: Door) -> None:
    for number in range(1, 16):
        with door.site.orm():
            _bells().update(wake_at=None)  # a worker has heard the bell, and looked
        assert door.post("/inbound/from-source", data={"ID": str(number), "token": TOKEN}).ok
    wait_until(lambda: _is_rung(door.site), seconds=5, what=door.web.output)


def test_what_was_pressed_last_is_rung_when_the_process_ends(site: Site) -> None:
    """Between two rings is a pause; the process ends in the middle of it."""
    done = site.manage("shell", "-c", PRESS_TWICE_AND_GO.format(portal=_source(site)))
    assert done.code == 0, done.err
    assert _is_rung(site)


def test_a_bell_waits_for_the_database(mysql_site: Site) -> None:
    portal = _source(mysql_site)
    config = environ.Env.db_url_config(mysql_site.database_url)
    gate = Gate((config["HOST"], int(config["PORT"] or 3306)))
    gate.shut()
    url = f"mysql://{config['USER']}:{config['PASSWORD']}@127.0.0.1:{gate.port}/{config['NAME']}"
    web = mysql_site.start("shell", "-c", PRESS_AND_STAY.format(portal=portal), DATABASE_URL=url)
    wait_until(lambda: "No worker could be rung" in web.output(), seconds=20, what=web.output)
    gate.open()
    wait_until(lambda: _is_rung(mysql_site), seconds=10, what=web.output)
    gate.shut()
