"""Listing a portal by ID ranges: all of them, once, in few requests."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sandbox.emulators import bitrix24
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.types import Access, Command, Reply
from sync.flows.deals import FLOW
from sync.gateway.listing import Range, cut, pages

LISTING = FLOW.listing
assert LISTING is not None


class Requester:
    """Sends requests to an emulated portal without waiting, and counts them."""

    def __init__(self, emulator: bitrix24.Emulator) -> None:
        self.client = Bitrix24Client(Access("a", emulator.url, hosts=("127.0.0.1",), allow_private=True))
        self.requests = 0

    def __call__(self, commands: Mapping[str, Command]) -> Reply:
        self.requests += 1
        return self.client.execute(commands)


@pytest.fixture
def portal():
    """An emulated portal."""
    emulator = bitrix24.start()
    yield emulator
    emulator.stop()


def _fill(portal: bitrix24.Emulator, ids: list[int]) -> list[str]:
    """Add deals with these IDs; the IDs as text."""
    portal.add("deals", *({"ID": one, "TITLE": f"Deal {one}"} for one in ids))
    return [str(one) for one in ids]


def _listed(request_page: Requester, *, since: str = "") -> list[str]:
    """The IDs that the listing brings."""
    return [one.id for page in pages(LISTING, request_page, since=since) for one in page]


def test_no_deals(portal: bitrix24.Emulator) -> None:
    request_page = Requester(portal)
    assert _listed(request_page) == []
    assert request_page.requests == 1


@pytest.mark.parametrize("count", [1, 49, 50, 51, 2500, 2501])
def test_each_once_whatever_the_number(portal: bitrix24.Emulator, count: int) -> None:
    ids = _fill(portal, list(range(1, count + 1)))
    assert sorted(_listed(Requester(portal)), key=int) == ids


def test_thousands_in_a_handful_of_requests(portal: bitrix24.Emulator) -> None:
    # a crowd of old deals, a gap, and a crowd of new ones
    ids = _fill(portal, [*range(1, 4001), *range(900_000, 904_000, 2)])
    request_page = Requester(portal)
    assert sorted(_listed(request_page), key=int) == ids
    assert request_page.requests <= 12, "a page a request would be 120"


def test_only_what_has_changed_since(portal: bitrix24.Emulator) -> None:
    hour_ago = (timezone.now() - timedelta(hours=1)).isoformat()
    _fill(portal, list(range(1, 200)))
    portal.add("deals", {"ID": 500, "TITLE": "old", "DATE_MODIFY": "2020-01-01T00:00:00+03:00"})
    assert len(_listed(Requester(portal), since=hour_ago)) == 199
    assert _listed(Requester(portal), since=(timezone.now() + timedelta(hours=1)).isoformat()) == []


def test_deals_that_come_meanwhile_disturb_nothing(portal: bitrix24.Emulator) -> None:
    ids = _fill(portal, list(range(1, 3001)))
    request_page = Requester(portal)
    found: list[str] = []
    for page in pages(LISTING, request_page):
        found += [one.id for one in page]
        portal.add("deals", *({"TITLE": "new"} for _ in range(100)))
    assert sorted(found, key=int) == ids


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)), min_size=1, max_size=60),
    st.integers(1, 50),
)
def test_cutting_changes_no_id(bounds: list[tuple[int, int]], pieces: int) -> None:
    ranges = [Range(after, after + width) for after, width in bounds]
    cuts = cut(ranges, pieces=pieces, page=50)
    assert sum(one.width for one in cuts) == sum(one.width for one in ranges)
    assert all(one.width > 0 for one in cuts)
    assert len(cuts) >= len(ranges)
    assert len(cuts) <= max(pieces, len(ranges))
