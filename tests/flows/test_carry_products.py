"""Product rows travel with their deal, once and again when they changed; the sum stays what it was."""

from __future__ import annotations

import pytest
from django.utils import timezone

from sync import engine
from sync.models import Attempt, Job

ROWS = [
    {"PRODUCT_NAME": "Паркет", "PRICE": 100.5, "QUANTITY": 3, "TAX_RATE": 20, "TAX_INCLUDED": "Y"},
    {
        "PRODUCT_NAME": "Клей",
        "PRICE": 10,
        "QUANTITY": 2,
        "DISCOUNT_TYPE_ID": 1,
        "DISCOUNT_SUM": 5,
        "MEASURE_CODE": 166,
        "MEASURE_NAME": "кг",
    },
]


@pytest.fixture(autouse=True)
def carrying(pair):
    """The route carries products, and the sum."""
    pair.route.options = {**pair.route.options, "carry": {"products": True}}
    pair.route.save(update_fields=["options"])
    pair.map("OPPORTUNITY", origin="field", source="OPPORTUNITY")


def deal_of(pair, rows=ROWS, **fields) -> str:
    [deal_id] = pair.seed(IS_MANUAL_OPPORTUNITY="Y", OPPORTUNITY=777, **fields)
    set_rows(pair, deal_id, rows)
    return str(deal_id)


def set_rows(pair, deal_id, rows) -> None:
    pair.call("source", "crm.deal.productrows.set", {"id": deal_id, "rows": rows})


def names(deal) -> list[str]:
    return [row["PRODUCT_NAME"] for row in deal["PRODUCT_ROWS"]]


def sets(pair) -> int:
    return pair.target.get("stats")["calls"].get("crm.item.productrow.set", 0)


def hurry(pair, rounds: int = 60) -> None:
    for _ in range(rounds):
        Job.objects.filter(state="waiting", due_at__isnull=False).update(due_at=timezone.now())
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)


def test_rows_arrive_as_free_rows_and_the_sum_stays(pair):
    deal_id = deal_of(pair)
    pair.webhook(deal_id)
    pair.run()
    [deal] = pair.deals()
    parquet, glue = deal["PRODUCT_ROWS"]
    assert (parquet["PRODUCT_NAME"], parquet["PRICE"], parquet["QUANTITY"]) == ("Паркет", 100.5, 3)
    assert (parquet["TAX_RATE"], parquet["TAX_INCLUDED"], parquet["PRODUCT_ID"]) == (20, "Y", 0)
    assert (glue["DISCOUNT_TYPE_ID"], glue["DISCOUNT_SUM"]) == (1, 5)
    assert (glue["MEASURE_CODE"], glue["MEASURE_NAME"]) == (166, "кг")
    assert (deal["OPPORTUNITY"], deal["IS_MANUAL_OPPORTUNITY"]) == ("777.00", "Y")
    assert pair.comments(deal_id) == [f"Создана сделка №{deal['ID']}"]
    assert (pair.job().state, pair.job().warning) == ("done", "")


def test_rows_are_written_again_only_when_they_changed(pair):
    deal_id = deal_of(pair)
    pair.webhook(deal_id)
    pair.run()
    pair.webhook(deal_id)
    pair.run()
    assert Job.objects.latest("pk").state == "skipped"
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": "new"}})
    pair.webhook(deal_id)
    pair.run()
    assert (sets(pair), pair.deals()[0]["TITLE"]) == (1, "new")
    set_rows(pair, deal_id, ROWS[:1])
    pair.webhook(deal_id)
    pair.run()
    assert (names(pair.deals()[0]), sets(pair)) == (["Паркет"], 2)
    assert Job.objects.latest("pk").state == "done"
    assert len(pair.comments(deal_id)) == 1


def test_rows_that_are_gone_go_there_too_also_among_others(pair):
    ids = [deal_of(pair, TITLE=str(number)) for number in range(3)]
    for deal_id in ids:
        pair.webhook(deal_id)
    pair.run()
    for deal_id in ids:
        set_rows(pair, deal_id, [] if deal_id != ids[0] else ROWS[1:])
        pair.webhook(deal_id)
    pair.run()
    assert sorted((deal["TITLE"], names(deal)) for deal in pair.deals()) == [
        ("0", ["Клей"]),
        ("1", []),
        ("2", []),
    ]


def test_a_deal_without_rows_leaves_the_targets_alone(pair):
    deal_id = deal_of(pair, rows=[])
    pair.webhook(deal_id)
    pair.run()
    own = [{"PRODUCT_NAME": "Дилера", "PRICE": 1}]
    pair.call("target", "crm.deal.productrows.set", {"id": pair.deals()[0]["ID"], "rows": own})
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": "new"}})
    pair.webhook(deal_id)
    pair.run()
    assert (names(pair.deals()[0]), sets(pair)) == (["Дилера"], 0)


def test_more_rows_than_a_page_all_arrive(pair):
    rows = [{"PRODUCT_NAME": f"Т{number}", "PRICE": 1} for number in range(120)]
    pair.webhook(deal_of(pair, rows=rows))
    pair.run()
    assert names(pair.deals()[0]) == [f"Т{number}" for number in range(120)]


@pytest.mark.parametrize("where", ["middle", "inside"])
def test_a_lost_answer_doubles_no_rows(pair, where):
    rule = {"cut": 1.0, "cut_where": where, "count": 1, "methods": ["crm.item.productrow.set"]}
    pair.target.post("faults", {"rules": [rule]})
    deal_id = deal_of(pair)
    pair.webhook(deal_id)
    pair.run()
    assert names(pair.deals()[0]) == ["Паркет", "Клей"]
    assert len(pair.comments(deal_id)) == 1


def test_a_lost_create_that_is_adopted_gets_its_rows(pair):
    pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": ["crm.item.add"]}]})
    pair.webhook(deal_of(pair))
    pair.run()
    [deal] = pair.deals()
    assert names(deal) == ["Паркет", "Клей"]
    assert "find" in Attempt.objects.values_list("step", flat=True)


@pytest.mark.parametrize(
    ("side", "method"),
    [("source", "crm.item.productrow.list"), ("target", "crm.item.productrow.set")],
)
def test_rows_that_fail_for_good_are_a_warning_and_come_with_the_next_event(pair, side, method):
    getattr(pair, side).post("faults", {"rules": [{"command_error": 1.0, "methods": [method]}]})
    ids = [deal_of(pair) for _ in range(2)]
    for deal_id in ids:
        pair.webhook(deal_id)
    hurry(pair)
    for job in Job.objects.all():
        assert (job.state, method in job.warning) == ("done", True)
        assert pair.card(job.source_id)["STAGE_ID"] == "C2:UC_MXQPC8"
    assert [names(deal) for deal in pair.deals()] == [[], []]
    getattr(pair, side).post("faults", {})
    pair.webhook(ids[0])
    pair.run()
    assert names(next(deal for deal in pair.deals() if deal["ORIGIN_ID"] == ids[0])) == ["Паркет", "Клей"]
    assert len(pair.comments(ids[0])) == 1


def test_a_new_event_in_the_middle_joins_and_nothing_is_repeated(pair):
    deal_id = deal_of(pair)
    pair.webhook(deal_id)
    for _ in range(10):
        engine.drain(pair.from_portal.pk)
        pair.target.post("faults", {"rules": [{"refuse": 1.0, "methods": ["crm.item.productrow.set"]}]})
        engine.drain(pair.to_portal.pk)
        if Job.objects.filter(step="set_products", state="waiting").exists():
            break
    assert len(pair.deals()) == 1
    pair.target.post("faults", {})
    set_rows(pair, deal_id, ROWS[1:])
    pair.webhook(deal_id)
    pair.run()
    assert pair.job().folded == 1
    assert [names(deal) for deal in pair.deals()] == [["Клей"]]
    assert len(pair.comments(deal_id)) == 1


def test_many_deals_share_requests(pair):
    for _ in range(30):
        pair.webhook(deal_of(pair))
    before = sum(getattr(pair, side).get("stats")["requests"] for side in ("source", "target"))
    pair.run()
    after = sum(getattr(pair, side).get("stats")["requests"] for side in ("source", "target"))
    assert after - before == 6  # fetch, rows; create, rows; comment, stage
