"""An emulated portal in trouble: limits, an ended licence, a wrong key, a new address, lost answers."""

from typing import Any

import pytest

from sandbox.emulators.bitrix24 import Emulator, start
from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.types import Access
from sync.errors import NeedsStaff, OutcomeUnknown, Throttled
from tests.connectors.asking import ask, new_deal


def test_limits() -> None:
    slow = start(bucket=(2.0, 0.1))
    try:
        client = Bitrix24Client(Access("source", slow.url, allow_private=True))
        for _ in range(2):
            client.execute({"a": crm.who_am_i()})
        with pytest.raises(Throttled) as raised:
            client.execute({"a": crm.who_am_i()})
        assert raised.value.method == ""
    finally:
        slow.stop()


def test_a_method_that_has_used_up_its_time() -> None:
    busy = start(operating_seconds=300.0)
    try:
        client = Bitrix24Client(Access("source", busy.url, allow_private=True))
        usage = client.execute({"a": crm.newest_deal()}).usage["crm.item.list"]
        assert usage.seconds == 300
        client.execute({"a": crm.newest_deal()})
        error = client.execute({"a": crm.newest_deal()}).answers["a"].error
        assert isinstance(error, Throttled)
        assert error.method == "crm.item.list"
        inside = client.execute({"a": crm.newest_deal(), "b": crm.who_am_i()}).answers
        assert isinstance(inside["a"].error, Throttled)
        assert inside["b"].error is None
    finally:
        busy.stop()


@pytest.mark.parametrize("licence", ["PAYMENT_REQUIRED", "ACCESS_DENIED"])
def test_the_licence_has_ended(client: Bitrix24Client, portal: Emulator, licence: str) -> None:
    portal.faults(licence=licence)
    with pytest.raises(NeedsStaff, match="renew") as raised:
        client.execute({"a": crm.who_am_i()})
    assert raised.value.is_portal_wide


def test_a_wrong_code(portal: Emulator) -> None:
    client = Bitrix24Client(Access("source", portal.url.replace("demo0code", "wrong"), allow_private=True))
    with pytest.raises(NeedsStaff, match="new incoming webhook") as raised:
        client.execute({"a": crm.who_am_i()})
    assert raised.value.is_portal_wide
    assert "wrong" not in raised.value.message


def test_a_renamed_portal(client: Bitrix24Client, portal: Emulator) -> None:
    new = start()
    try:
        portal.faults(rename_to=f"127.0.0.1:{new.port}")
        reply = client.execute({"a": crm.add_deal({"TITLE": "moved"})})
        assert reply.new_url == new.url
        assert [row["TITLE"] for row in new.deals()] == ["moved"]
        assert portal.deals() == []
    finally:
        new.stop()


@pytest.mark.parametrize(
    "fault", [{"cut": 1}, {"cut": 1, "cut_where": "middle"}, {"malformed": 1}, {"hang": 1, "hang_seconds": 3}]
)
def test_a_lost_answer_is_found_again_by_origin(portal: Emulator, fault: dict[str, Any]) -> None:
    client = Bitrix24Client(Access("source", portal.url, allow_private=True, read_timeout=1))
    portal.faults(**fault)
    with pytest.raises(OutcomeUnknown):
        new_deal(client, ORIGINATOR_ID="bus", ORIGIN_ID="5")
    portal.faults()
    assert crm.read_origins(ask(client, crm.deals_by_origin("bus", ["5"]))) == {"5": ["1"]}
