"""A webhook creates a deal in the other portal; what the dealer reports comes back."""

from __future__ import annotations

import base64
import hashlib

import pytest
import yaml
from django.utils import timezone

from sandbox.demo import prove, wait_until
from sync.models import Job

pytestmark = pytest.mark.journey

FILE_FIELD = "UF_CRM_1773600000001"


@pytest.fixture
def site(mysql_site):
    """On MariaDB only: `tests/flows` holds the same on both engines, and the demo runs on SQLite."""
    return mysql_site


def only_deal(rig) -> dict:
    """The only deal of the target."""
    deals = rig.target.deals()
    assert len(deals) == 1, deals
    return deals[0]


def reconfigure(rig, change) -> None:
    """Import the configuration again, changed by `change(route)`."""
    path = rig.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    change(config["routes"][0])
    path.write_text(yaml.safe_dump(config, allow_unicode=True))
    rig.manage("import_config", str(path))


def test_the_deal_arrives_as_the_mapping_says_and_the_source_card_shows_it(start_rig):
    rig = start_rig()
    [deal_id] = rig.seed(1, is_silent=True, TITLE="Паркет", OPPORTUNITY=12500.5)
    answer = rig.webhook(
        "source",
        deal_id=deal_id,
        segment="Дизайнер",
        contact_info="Иван, +7 999 000-00-00",
        article="A-1",
        comments="Перезвонить",
        user_id="7",
    )
    assert answer.json()["result"] == {"status": "accepted", "deal_id": deal_id}
    rig.wait_until_idle(seconds=40)
    deal = only_deal(rig)
    expected = {
        "TITLE": "Паркет (из Винилам)",
        "OPPORTUNITY": "12500.50",
        "CURRENCY_ID": "RUB",
        "COMMENTS": "Перезвонить",
        "CATEGORY_ID": "25",
        "STAGE_ID": "C25:NEW",
        "ORIGIN_ID": deal_id,
        "UF_CRM_1773568798364": "1323",
        "UF_CRM_1773568832661": "Иван, +7 999 000-00-00",
        "UF_CRM_1773568858481": "A-1",
    }
    assert {name: str(deal[name]) for name in expected} == expected
    [comment] = rig.source.get("comments", deal=deal_id)["comments"]
    assert comment["COMMENT"] == f"✅ Заказ передан в Винипол. Создана сделка №{deal['ID']}"
    assert prove(rig, [deal_id]).holds


def test_what_the_dealer_reports_comes_back_and_empty_values_do_not(start_rig):
    rig = start_rig()
    [deal_id] = rig.seed(1, is_silent=True, COMMENTS="как было")
    rig.webhook("source", ID=deal_id)
    rig.wait_until_idle(seconds=40)
    target_id = only_deal(rig)["ID"]
    report = {"accepted_at": "2026-11-21", "vinipol_manager": "Пётр", "fail_reason": "", "comments": ""}
    rig.webhook("vinipol", ID=target_id, ORIGIN_ID=deal_id, target_stage="C2:WON", **report)
    rig.wait_until_idle(seconds=40)
    [card] = rig.source.deals()
    assert card["STAGE_ID"] == "C2:WON"
    assert card["UF_CRM_1773749705779"] == "2026-11-21"
    assert card["UF_CRM_1773749746541"] == "Пётр"
    assert card["COMMENTS"] == "как было"


def test_feedback_about_deals_that_are_not_ours_is_ignored(start_rig):
    rig = start_rig()
    answer = rig.webhook("vinipol", ID="4711", target_stage="C2:WON")
    assert answer.status_code == 200
    counts = rig.wait_until_idle(seconds=30)
    assert sum(counts["jobs"].values()) == 0


def test_the_same_webhook_three_times_makes_one_deal(start_rig):
    rig = start_rig()
    [deal_id] = rig.seed(1, is_silent=True)
    for _ in range(3):
        assert rig.webhook("source", ID=deal_id).status_code == 200
    rig.wait_until_idle(seconds=40)
    assert prove(rig, [deal_id]).holds


def test_create_and_updates_in_a_burst_make_one_deal_with_the_last_values(start_rig):
    rig = start_rig()
    rig.listen()
    [deal_id] = rig.seed(1, TITLE="v0")
    for number in range(1, 6):
        rig.source.call("crm.deal.update", {"id": deal_id, "fields": {"TITLE": f"v{number}"}})
    rig.wait_until_idle(seconds=60, arrivals=1)
    assert only_deal(rig)["TITLE"] == "v5 (из Винилам)"
    rig.source.call("crm.deal.update", {"id": deal_id, "fields": {"TITLE": "v6"}})
    wait_until(lambda: only_deal(rig)["TITLE"] == "v6 (из Винилам)", seconds=30, what=rig.worker.output)
    rig.wait_until_idle(seconds=30)
    assert prove(rig, [deal_id]).holds


def test_our_own_writes_come_back_as_events_and_end_there(start_rig):
    rig = start_rig()
    rig.listen()
    rig.seed(3)
    rig.wait_until_idle(seconds=40, arrivals=3)
    before = rig.source.get("stats")["calls"]["crm.item.update"]
    [one, *_] = rig.target.deals()
    rig.target.call("crm.deal.update", {"id": one["ID"], "fields": {"TITLE": "dealer's own"}})
    rig.wait_until_idle(seconds=40)
    assert rig.source.get("stats")["calls"]["crm.item.update"] == before
    assert title_of(rig, one["ID"]) == "dealer's own"


def title_of(rig, deal_id) -> str:
    """The title of a target deal."""
    return next(deal["TITLE"] for deal in rig.target.deals() if deal["ID"] == deal_id)


def test_a_long_comment_and_a_large_file_arrive_byte_for_byte(start_rig):
    rig = start_rig()

    def carry_files(route) -> None:
        route["carry"] = {**route.get("carry", {}), "files": True}
        route["mappings"].append({"to": FILE_FIELD, "field": FILE_FIELD})

    reconfigure(rig, carry_files)
    comment = "Строка с эмодзи 🪵🏠 и \\ & = % + [B]\n" * 4000
    assert len(comment.encode()) > 200_000
    content = bytes(range(256)) * 20480
    [deal_id] = rig.seed(1, is_silent=True, COMMENTS=comment)
    file = ["чертёж.bin", base64.b64encode(content).decode()]
    rig.source.call(
        "crm.item.update",
        {"entityTypeId": 2, "id": deal_id, "useOriginalUfNames": "Y", "fields": {FILE_FIELD: file}},
    )
    rig.webhook("source", ID=deal_id)
    rig.wait_until_idle(seconds=60)
    deal = only_deal(rig)
    assert deal["COMMENTS"] == comment, rig.failures()
    [got] = deal[FILE_FIELD]
    assert got["sha256"] == hashlib.sha256(content).hexdigest()
    assert got["name"] == "чертёж.bin"


def test_an_unmapped_value_fails_with_its_reason_and_is_delivered_after_the_mapping_is_edited(start_rig):
    rig = start_rig()

    def fail_on_unknown(route) -> None:
        for row in route["mappings"]:
            if row.get("param") == "segment":
                row["otherwise"] = "fail"

    def map_the_value(route) -> None:
        for row in route["mappings"]:
            if row.get("param") == "segment":
                row["values"]["оптовик"] = "1325"

    reconfigure(rig, fail_on_unknown)
    [deal_id] = rig.seed(1, is_silent=True)
    rig.webhook("source", ID=deal_id, segment="оптовик")
    rig.wait_until_idle(seconds=40)
    [(source_id, failure, reason)] = rig.failures()
    assert (source_id, failure) == (deal_id, "config")
    for named in ("vinilam-vinipol", "оптовик", "UF_CRM_1773568798364", "segment"):
        assert named in reason
    assert rig.target.deals() == []
    reconfigure(rig, map_the_value)
    with rig.site.orm():
        assert Job.objects.filter(state="failed").requeue(now=timezone.now()) == 1
    rig.wait_until_idle(seconds=100)
    assert prove(rig, [deal_id]).holds
