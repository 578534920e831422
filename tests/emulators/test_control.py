"""The two ways to control an emulated portal: by HTTP and from Python."""

import base64
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from sandbox.emulators.bitrix24 import start

ROOT = Path(__file__).parents[2]


def test_seeding_and_looking(call):
    rows = [{"TITLE": "A", "ORIGINATOR_ID": "bus", "ID": 500, "DATE_CREATE": "2020-01-01T00:00:00+03:00"}]
    assert call.control("deals", deals=rows) == {"ids": [500]}
    made = call.control("deals", count=3, fields={"TITLE": "Deal {n}", "CONTACT_IDS": [1]})
    assert made == {"ids": [501, 502, 503]}
    shown = call.look("deals")["deals"]
    assert [deal["TITLE"] for deal in shown] == ["A", "Deal 1", "Deal 2", "Deal 3"]
    assert (shown[0]["ID"], shown[0]["DATE_CREATE"]) == ("500", "2020-01-01T00:00:00+03:00")
    assert (shown[1]["CONTACT_IDS"], shown[1]["PRODUCT_ROWS"]) == ([1], [])
    assert len(call.look("deals?originator=bus")["deals"]) == 1
    call.control("seed/contacts", contacts=[{"NAME": "A"}])
    assert [row["NAME"] for row in call.look("contacts")["contacts"]] == ["A"]
    call.control("comments", rows=[{"ENTITY_ID": 500, "COMMENT": "c"}])
    assert [row["COMMENT"] for row in call.look("comments?deal=500")["comments"]] == ["c"]


def test_two_hundred_thousand_bytes_and_five_megabytes(call):
    big = base64.b64encode(b"\x00\xff" * 2_500_000).decode()
    fields = {"COMMENTS": "😀я" * 40_000, "UF_CRM_1773600000001": {"fileData": ["big.bin", big]}}
    call("crm.deal.add", fields=fields)
    (deal,) = call.look("deals")["deals"]
    assert deal["COMMENTS"] == fields["COMMENTS"]
    assert deal["UF_CRM_1773600000001"][0]["size"] == 5_000_000


def test_reset(call):
    call.control("deals", count=3, fields={})
    call.control("faults", away=True)
    call.control("reset")
    assert call.look("deals") == {"deals": []}
    assert call("crm.deal.add", fields={}) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("nonsense", {}),
        ("seed/nonsense", {"rows": []}),
        ("robot", {}),
        ("limits", {"x": 1}),
        ("handlers", {"kind": "app"}),
    ],
)
def test_mistakes_are_named(call, path, body):
    answer = requests.post(f"{call.emulator.base}/emulator/{path}", json=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_counters(call):
    def slow():
        requests.get(call.emulator.url + "server.time", timeout=5)

    call.control("faults", latency=0.2)
    threads = [threading.Thread(target=slow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = call.look("stats")
    assert (stats["requests"], stats["in_flight_max"], stats["max_in_sliding_minute"]) == (4, 4, 4)
    assert stats["limit_errors"] == stats["events_fired"] == stats["duplicates_by_origin"] == 0


def test_two_portals_do_not_know_each_other():
    first, second = start(code="one"), start(code="two")
    first.add("deals", {"TITLE": "A"})
    assert (len(first.deals()), len(second.deals())) == (1, 0)
    assert first.portal.member_id != second.portal.member_id
    assert requests.get(first.url.replace("one", "two") + "server.time", timeout=5).status_code == 401
    first.stop()
    second.stop()


def test_quick_enough(call):
    """A thousand calls over one connection, and a batch of fifty creates, on a busy two-core machine."""
    started = time.perf_counter()
    for _ in range(200):
        call("server.time")
    assert time.perf_counter() - started < 2
    spent = time.process_time()
    for _ in range(10):
        call.batch({f"c{n}": f"crm.deal.add?fields[TITLE]={n}&fields[ORIGIN_ID]={n}" for n in range(50)})
    assert (time.process_time() - spent) / 10 < 0.03


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_command(stop):
    command = [sys.executable, "manage.py", "emulate", "bitrix24", "--code", "secret1", "--bucket-size", "3"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline().strip()
    url = line.rpartition(" ")[2]
    assert line == f"bitrix24 listening on {url}"
    assert url.endswith("/rest/1/secret1/")
    codes = [requests.get(url + "server.time", timeout=5).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 503]
    process.send_signal(stop)
    assert process.wait(10) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "server.time", timeout=2)
