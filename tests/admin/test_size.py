"""No screen makes the database work more when the tables hold a large history."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sandbox.benchmarks.history import fill
from sandbox.benchmarks.pages import pages
from sync.models import Route
from tests.effort import counted

FEW, MANY = 2_000, 12_000


@pytest.mark.django_db(transaction=True)
def test_no_page_works_more_when_the_history_is_large(
    transactional_db: None, boss: Client, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.admin.paginator.MAX_COUNTED", 100)
    # of a small table MariaDB rather reads all IDs than a thousand rows one by one
    lists = {name: one for name, one in pages(FEW).items() if "/change/" not in one and "?p=" not in one}
    addresses = {name: _of(route, address) for name, address in lists.items()}
    few, many = (_efforts(boss, addresses, rows) for rows in (FEW, MANY))
    growth = {
        f"{name}: {sql}": work - few[name].get(sql, 0)
        for name, efforts in many.items()
        for sql, work in efforts.items()
    }
    assert not {what: work for what, work in growth.items() if work > (MANY - FEW) / 2}
    assert len(growth) > 200


def _of(route: Route, address: str) -> str:
    """The address for these portals and this route, which are not the first ones of their database."""
    return (
        address.replace("portal__id__exact=1", f"portal__id__exact={route.source_id}")
        .replace("portal__id__exact=2", f"portal__id__exact={route.target_id}")
        .replace("route__id__exact=1", f"route__id__exact={route.pk}")
    )


def _efforts(boss: Client, addresses: dict[str, str], rows: int) -> dict[str, dict[str, int]]:
    """Name of a page → statement → work, beside a history of so many jobs."""
    fill(rows=rows)
    found = {}
    for name, address in addresses.items():
        with counted() as effort:
            answer: Any = boss.get(address)
        assert answer.status_code == 200, address
        found[name] = effort
    return found
