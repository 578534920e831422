"""Product rows are copied with their deal, and again when they changed; the deal's sum stays."""

from __future__ import annotations

import pytest

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
def products_and_sum(pair):
    """The route copies product rows and the sum."""
    pair.carry(products=True)
    pair.map("OPPORTUNITY", origin="field", source="OPPORTUNITY")


def add_deal(pair, rows=ROWS, **fields) -> str:
    """Add a deal with these product rows to the source; its ID."""
    [deal_id] = pair.seed(IS_MANUAL_OPPORTUNITY="Y", OPPORTUNITY=777, **fields)
    set_rows(pair, deal_id, rows)
    return str(deal_id)


def set_rows(pair, deal_id, rows) -> None:
    """Replace the product rows of a source deal."""
    pair.call("source", "crm.deal.productrows.set", {"id": deal_id, "rows": rows})


def product_names(deal) -> list[str]:
    """The names of a deal's product rows."""
    return [row["PRODUCT_NAME"] for row in deal["PRODUCT_ROWS"]]


def product_writes(pair) -> int:
    """How often product rows were written to the target."""
    return pair.calls("target", "crm.item.productrow.set")


def test_rows_arrive_as_free_rows_and_the_sum_stays(pair):
    deal_id = add_deal(pair)
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
    deal_id = add_deal(pair)
    pair.webhook(deal_id)
    pair.run()
    pair.webhook(deal_id)
    pair.run()
    assert Job.objects.latest("pk").state == "skipped"
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": "new"}})
    pair.webhook(deal_id)
    pair.run()
    assert (product_writes(pair), pair.deals()[0]["TITLE"]) == (1, "new")
    set_rows(pair, deal_id, ROWS[:1])
    pair.webhook(deal_id)
    pair.run()
    assert (product_names(pair.deals()[0]), product_writes(pair)) == (["Паркет"], 2)
    assert Job.objects.latest("pk").state == "done"
    assert len(pair.comments(deal_id)) == 1


def test_rows_that_are_gone_go_there_too_also_among_others(pair):
    ids = [add_deal(pair, TITLE=str(number)) for number in range(3)]
    for deal_id in ids:
        pair.webhook(deal_id)
    pair.run()
    for deal_id in ids:
        set_rows(pair, deal_id, [] if deal_id != ids[0] else ROWS[1:])
        pair.webhook(deal_id)
    pair.run()
    assert sorted((deal["TITLE"], product_names(deal)) for deal in pair.deals()) == [
        ("0", ["Клей"]),
        ("1", []),
        ("2", []),
    ]


def test_a_deal_without_rows_leaves_the_targets_alone(pair):
    deal_id = add_deal(pair, rows=[])
    pair.webhook(deal_id)
    pair.run()
    own = [{"PRODUCT_NAME": "Дилера", "PRICE": 1}]
    pair.call("target", "crm.deal.productrows.set", {"id": pair.deals()[0]["ID"], "rows": own})
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": "new"}})
    pair.webhook(deal_id)
    pair.run()
    assert (product_names(pair.deals()[0]), product_writes(pair)) == (["Дилера"], 0)


def test_more_rows_than_a_page_all_arrive(pair):
    rows = [{"PRODUCT_NAME": f"Т{number}", "PRICE": 1} for number in range(120)]
    pair.webhook(add_deal(pair, rows=rows))
    pair.run()
    assert product_names(pair.deals()[0]) == [f"Т{number}" for number in range(120)]


@pytest.mark.parametrize("where", ["middle", "inside"])
def test_a_lost_answer_doubles_no_rows(pair, where):
    rule = {"cut": 1.0, "cut_where": where, "count": 1, "methods": ["crm.item.productrow.set"]}
    pair.target.post("faults", {"rules": [rule]})
    deal_id = add_deal(pair)
    pair.webhook(deal_id)
    pair.run()
    assert product_names(pair.deals()[0]) == ["Паркет", "Клей"]
    assert len(pair.comments(deal_id)) == 1


def test_a_lost_create_that_is_adopted_gets_its_rows(pair):
    pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": ["crm.item.add"]}]})
    pair.webhook(add_deal(pair))
    pair.run()
    [deal] = pair.deals()
    assert product_names(deal) == ["Паркет", "Клей"]
    assert "find" in Attempt.objects.values_list("step", flat=True)


@pytest.mark.parametrize(
    ("side", "method"),
    [("source", "crm.item.productrow.list"), ("target", "crm.item.productrow.set")],
)
def test_rows_that_fail_for_good_are_a_warning_and_come_with_the_next_event(pair, side, method):
    getattr(pair, side).post("faults", {"rules": [{"command_error": 1.0, "methods": [method]}]})
    ids = [add_deal(pair) for _ in range(2)]
    for deal_id in ids:
        pair.webhook(deal_id)
    pair.fast_forward(rounds=60)
    for job in Job.objects.all():
        assert (job.state, method in job.warning) == ("done", True)
        assert pair.card(job.source_id)["STAGE_ID"] == "C2:UC_MXQPC8"
    assert [product_names(deal) for deal in pair.deals()] == [[], []]
    getattr(pair, side).post("faults", {})
    pair.webhook(ids[0])
    pair.run()
    assert product_names(next(deal for deal in pair.deals() if deal["ORIGIN_ID"] == ids[0])) == [
        "Паркет",
        "Клей",
    ]
    assert len(pair.comments(ids[0])) == 1


def test_a_new_event_in_the_middle_joins_and_nothing_is_repeated(pair):
    deal_id = add_deal(pair)
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
    assert [product_names(deal) for deal in pair.deals()] == [["Клей"]]
    assert len(pair.comments(deal_id)) == 1


def test_many_deals_share_requests(pair):
    for _ in range(30):
        pair.webhook(add_deal(pair))
    before = pair.requests()
    pair.run()
    assert pair.requests() - before == 6  # fetch, rows; create, rows; comment, stage
