"""A deal with contacts, products and comments: all of it arrives, once, while portals send every event."""

from __future__ import annotations

import base64

import pytest

from sandbox.demo import wait_until

pytestmark = pytest.mark.journey

EVENTS = (
    "ONCRMDEALADD",
    "ONCRMDEALUPDATE",
    "ONCRMTIMELINECOMMENTADD",
    "ONCRMTIMELINECOMMENTUPDATE",
    "ONCRMTIMELINECOMMENTDELETE",
)
PHONE = [{"VALUE": "+7 999 111-22-33", "VALUE_TYPE": "WORK"}]
ROWS = [{"PRODUCT_NAME": "Паркет", "PRICE": 100, "QUANTITY": 3}, {"PRODUCT_NAME": "Клей", "PRICE": 10}]


def add_comment(portal, deal_id, text, **fields) -> str:
    """Add a comment to a card; its ID."""
    whole = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text, **fields}
    return str(portal.call("crm.timeline.comment.add", {"fields": whole}))


def last_lines(portal, deal_id) -> list[str]:
    """The last line of each comment on a card, sorted: a copy begins with its author and time."""
    comments = portal.get("comments", deal=deal_id)["comments"]
    return sorted(row["COMMENT"].split("\n")[-1] for row in comments)


def test_all_that_belongs_to_a_deal_arrives_once_though_answers_are_lost(start_rig):
    rig = start_rig()
    rig.listen(events=EVENTS)
    ivan = rig.source.call("crm.contact.add", {"fields": {"NAME": "Иван", "PHONE": PHONE}})
    firm = rig.source.call("crm.company.add", {"fields": {"TITLE": "Ромашка"}})
    ids = rig.seed(
        3, is_silent=True, CONTACT_IDS=[ivan], COMPANY_ID=firm, OPPORTUNITY=5000, IS_MANUAL_OPPORTUNITY="Y"
    )
    for deal_id in ids:
        rig.source.call("crm.deal.productrows.set", {"id": deal_id, "rows": ROWS})
    lost = {"cut": 1.0, "count": 1}
    methods = ("crm.item.add", "crm.item.productrow.set")
    rig.target.post("faults", {"rules": [{**lost, "methods": [method]} for method in methods]})
    for deal_id in ids:
        rig.webhook("source", ID=deal_id)
    rig.wait_until_idle(seconds=90, arrivals=3)
    check_deals(rig, ids)
    check_comments(rig, ids[0])


def check_deals(rig, ids) -> None:
    """Check that each deal is there once, with contact, company, products and sum."""
    [contact], [company] = rig.target.get("contacts")["contacts"], rig.target.get("companies")["companies"]
    deals = rig.target.deals()
    assert sorted(deal["ORIGIN_ID"] for deal in deals) == sorted(ids), rig.failures()
    for deal in deals:
        assert ([str(one) for one in deal["CONTACT_IDS"]], deal["COMPANY_ID"]) == (
            [contact["ID"]],
            company["ID"],
        )
        assert [row["PRODUCT_NAME"] for row in deal["PRODUCT_ROWS"]] == ["Паркет", "Клей"]
        assert deal["OPPORTUNITY"] == "5000.00"


def check_comments(rig, deal_id) -> None:
    """Comment on both sides and check the copies; each portal also sends events of our own copies."""
    target_id = next(deal["ID"] for deal in rig.target.deals() if deal["ORIGIN_ID"] == deal_id)
    add_comment(rig.target, target_id, "Принято")
    lost = {"cut": 1.0, "count": 1, "methods": ["crm.timeline.comment.add"]}
    rig.target.post("faults", {"rules": [lost]})
    ours = add_comment(
        rig.source, deal_id, "Звонил", FILES=[["план.txt", base64.b64encode(b"plan").decode()]]
    )
    notice = f"✅ Заказ передан в Винипол. Создана сделка №{target_id}"
    both = ["Звонил", "Принято"]

    def is_copied() -> bool:
        return last_lines(rig.target, target_id) == both and last_lines(rig.source, deal_id) == [
            *both,
            notice,
        ]

    def shown() -> str:
        cards = (last_lines(rig.source, deal_id), last_lines(rig.target, target_id))
        return f"{cards} {rig.failures()} {rig.worker.output()[-2000:]}"

    wait_until(is_copied, seconds=60, what=shown)
    rig.source.call("crm.timeline.comment.update", {"id": ours, "fields": {"COMMENT": "Звонил дважды"}})
    wait_until(lambda: "Звонил дважды" in last_lines(rig.target, target_id), seconds=30, what=shown)
    rig.wait_until_idle(seconds=30)
    assert last_lines(rig.target, target_id) == ["Звонил дважды", "Принято"]
    assert last_lines(rig.source, deal_id) == ["Звонил дважды", "Принято", notice]
    [copy] = [
        row for row in rig.target.get("comments", deal=target_id)["comments"] if "Звонил" in row["COMMENT"]
    ]
    assert [file["name"] for file in copy["FILES"]] == ["план.txt"]
    assert rig.failures() == []
