"""The peer: the same work as a script over fast_bitrix24, everything in memory, nothing stored.

Run as a program of its own: `peer_script.py SOURCE_URL TARGET_URL FIRST_ID COUNT`; prints the seconds.
It reads 50 deals a command as we do; its pace is set so high that it never waits.
https://github.com/leshchenko1979/fast_bitrix24
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

from fast_bitrix24 import Bitrix  # type: ignore[attr-defined]

UNPACED = 1_000_000.0
DEAL = 2


def main(source_url: str, target_url: str, first: str, count: str) -> None:
    """Deliver `count` deals from ID `first`."""
    warnings.simplefilter("ignore")  # it would rather read lists page by page, which is slower
    source, target = _open(source_url), _open(target_url)
    ids = [str(int(first) + number) for number in range(int(count))]
    began = time.perf_counter()
    deliver(source, target, ids)
    sys.stdout.write(f"{time.perf_counter() - began}\n")


def deliver(source: Bitrix, target: Bitrix, ids: list[str]) -> None:
    """Read all deals, create them, comment on their cards, move their cards."""
    pages = [ids[start : start + 50] for start in range(0, len(ids), 50)]
    deals = source.call("crm.item.list", [_listing(page) for page in pages])
    created = target.call("crm.item.add", [_new(deal) for deal in deals])
    pairs = [(deal["originId"], deal["id"]) for deal in created]  # they do not come in our order
    source.call("crm.timeline.comment.add", [_comment(*pair) for pair in pairs])
    source.call("crm.item.update", [_stage(source_id) for source_id, _ in pairs])


def _open(url: str) -> Bitrix:
    return Bitrix(
        url,
        verbose=False,
        respect_velocity_policy=True,  # without it release 1.8.14 fails on its first answer
        request_pool_size=int(UNPACED),
        requests_per_second=UNPACED,
        operating_time_limit=int(UNPACED),
    )


def _listing(ids: list[str]) -> dict[str, Any]:
    return {
        "entityTypeId": DEAL,
        "filter": {"@id": ids},
        "select": ["*"],
        "order": {"id": "ASC"},
        "start": -1,
        "useOriginalUfNames": "Y",
    }


def _new(deal: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "title": f"{deal['title']} (из Винилам)",
        "opportunity": deal["opportunity"],
        "currencyId": deal["currencyId"] or "RUB",
        "categoryId": 25,
        "stageId": "C25:NEW",
        "originatorId": "fast_bitrix24",
        "originId": deal["id"],
    }
    return {"entityTypeId": DEAL, "fields": fields, "useOriginalUfNames": "Y"}


def _comment(source_id: Any, target_id: Any) -> dict[str, Any]:
    text = f"✅ Заказ передан в Винипол. Создана сделка №{target_id}"
    return {"fields": {"ENTITY_ID": source_id, "ENTITY_TYPE": "deal", "COMMENT": text}}


def _stage(source_id: Any) -> dict[str, Any]:
    return {"entityTypeId": DEAL, "id": source_id, "fields": {"stageId": "C2:UC_MXQPC8"}}


if __name__ == "__main__":
    main(*sys.argv[1:])
