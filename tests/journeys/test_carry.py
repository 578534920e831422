"""A deal with people, products and talk around it: all arrives, once, while portals tell every event."""

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


def say(portal, deal_id, text, **fields) -> str:
    whole = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text, **fields}
    return str(portal.call("crm.timeline.comment.add", {"fields": whole}))


def last_lines(portal, deal_id) -> list[str]:
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
    arrived(rig, ids)
    talk(rig, ids[0])


def arrived(rig, ids) -> None:
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


def talk(rig, deal_id) -> None:
    """Both sides write; each portal tells us of our own copies too."""
    twin = next(deal["ID"] for deal in rig.target.deals() if deal["ORIGIN_ID"] == deal_id)
    say(rig.target, twin, "Принято")
    lost = {"cut": 1.0, "count": 1, "methods": ["crm.timeline.comment.add"]}
    rig.target.post("faults", {"rules": [lost]})
    ours = say(rig.source, deal_id, "Звонил", FILES=[["план.txt", base64.b64encode(b"plan").decode()]])
    notice = f"✅ Заказ передан в Винипол. Создана сделка №{twin}"
    both = ["Звонил", "Принято"]

    def is_settled() -> bool:
        return last_lines(rig.target, twin) == both and last_lines(rig.source, deal_id) == [*both, notice]

    def shown() -> str:
        cards = (last_lines(rig.source, deal_id), last_lines(rig.target, twin))
        return f"{cards} {rig.failures()} {rig.worker.output()[-2000:]}"

    wait_until(is_settled, seconds=60, what=shown)
    rig.source.call("crm.timeline.comment.update", {"id": ours, "fields": {"COMMENT": "Звонил дважды"}})
    wait_until(lambda: "Звонил дважды" in last_lines(rig.target, twin), seconds=30, what=shown)
    rig.wait_until_idle(seconds=30)
    assert last_lines(rig.target, twin) == ["Звонил дважды", "Принято"]
    assert last_lines(rig.source, deal_id) == ["Звонил дважды", "Принято", notice]
    [copy] = [row for row in rig.target.get("comments", deal=twin)["comments"] if "Звонил" in row["COMMENT"]]
    assert [file["name"] for file in copy["FILES"]] == ["план.txt"]
    assert rig.failures() == []
