"""A burst of webhooks queues few wake-ups, and its last webhook always gets one."""

from typing import Any

import environ

from sandbox.demo.processes import wait_until
from sync.models import Pace, Portal
from tests.api.conftest import TOKEN, WebhookSender, install
from tests.gate import Gate
from tests.processes import Site

REQUEST_TWICE_AND_END = """
import time
from sync.api.wakeup import WAKEUPS
from sync.models import Pace
WAKEUPS.request({portal})
while not Pace.objects.filter(portal_id={portal}, wake_at__gt=0).update(wake_at=None):
    time.sleep(0.001)
WAKEUPS.request({portal})
"""

REQUEST_AND_STAY = """
import time
from sync.api.wakeup import WAKEUPS
WAKEUPS.request({portal})
time.sleep(60)
"""


def _wakeups() -> Any:
    """The source portal's pace, if a wake-up is queued for it."""
    return Pace.objects.filter(portal__slug="source", wake_at__isnull=False)


def _is_woken(site: Site) -> bool:
    """Whether a wake-up is queued for the source portal."""
    with site.orm():
        return bool(_wakeups().exists())


def _source(site: Site) -> int:
    """Install the portals; the ID of the source."""
    install(site)
    with site.orm():
        return Portal.objects.get(slug="source").pk


def test_the_last_of_a_burst_wakes_too(sender: WebhookSender) -> None:
    for number in range(1, 16):
        with sender.site.orm():
            _wakeups().update(wake_at=None)  # a worker has taken it
        assert sender.post("/inbound/from-source", data={"ID": str(number), "token": TOKEN}).ok
    wait_until(lambda: _is_woken(sender.site), seconds=5, what=sender.web.output)


def test_an_open_request_is_flushed_when_the_process_ends(site: Site) -> None:
    """The process ends in the pause between two flushes."""
    done = site.manage("shell", "-c", REQUEST_TWICE_AND_END.format(portal=_source(site)))
    assert done.code == 0, done.err
    assert _is_woken(site)


def test_a_wakeup_waits_for_the_database(mysql_site: Site) -> None:
    portal = _source(mysql_site)
    config = environ.Env.db_url_config(mysql_site.database_url)
    gate = Gate((config["HOST"], int(config["PORT"] or 3306)))
    gate.shut()
    url = f"mysql://{config['USER']}:{config['PASSWORD']}@127.0.0.1:{gate.port}/{config['NAME']}"
    web = mysql_site.start("shell", "-c", REQUEST_AND_STAY.format(portal=portal), DATABASE_URL=url)
    wait_until(lambda: "No worker could be woken" in web.output(), seconds=20, what=web.output)
    gate.open()
    wait_until(lambda: _is_woken(mysql_site), seconds=10, what=web.output)
    gate.shut()
