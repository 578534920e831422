"""Contacts and companies are copied with their deal, and none of them is created twice."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from sync import engine, inbox
from sync.models import Attempt, Job, Link

IVAN = {
    "NAME": "Иван",
    "LAST_NAME": "Петров",
    "POST": "Закупки",
    "PHONE": [{"VALUE": "+7 999 111-22-33", "VALUE_TYPE": "MOBILE"}],
    "EMAIL": [{"VALUE": "ivan@example.com", "VALUE_TYPE": "WORK"}],
}
ROMASHKA = {"TITLE": "Ромашка", "PHONE": [{"VALUE": "+7 495 000-00-01", "VALUE_TYPE": "WORK"}]}


@pytest.fixture(autouse=True)
def contacts_and_companies(pair):
    """The route copies contacts and companies."""
    pair.carry(contacts=True, companies=True)


def add_contact(pair, side: str = "source", **fields) -> str:
    """Add a contact at that side, Ivan by default; its ID."""
    return str(pair.call(side, "crm.contact.add", {"fields": fields or IVAN}))


def add_company(pair, side: str = "source", **fields) -> str:
    """Add a company at that side, Romashka by default; its ID."""
    return str(pair.call(side, "crm.company.add", {"fields": fields or ROMASHKA}))


def add_refused_contact(pair) -> str:
    """Add a contact to the source that the target refuses for its e-mail address; its ID."""
    bad = add_contact(pair, NAME="Плохой")
    pair.source.emulator.portal.entities[3].table.get(int(bad))["EMAIL"] = [
        {"ID": "9001", "VALUE": "not an address", "VALUE_TYPE": "WORK", "TYPE_ID": "EMAIL"}
    ]
    return bad


def add_deal(pair, *contacts: str, company_id: str = "") -> str:
    """Add a deal with these contacts and company to the source; its ID."""
    [deal_id] = pair.seed(CONTACT_IDS=list(contacts), **({"COMPANY_ID": company_id} if company_id else {}))
    return str(deal_id)


def on_target(pair, kind: str = "contacts") -> list[dict]:
    """All contacts (or companies) of the target portal."""
    return pair.target.get(kind)[kind]


def values(row: dict, name: str) -> list[str]:
    """The values of a field with several values, such as PHONE."""
    return [one["VALUE"] for one in row.get(name) or []]


def names_on(pair, deal: dict) -> list[str]:
    """The names of a target deal's contacts, in their order."""
    names = {row["ID"]: row["NAME"] for row in on_target(pair)}
    return [names[str(one)] for one in deal["CONTACT_IDS"]]


def test_contacts_and_company_arrive_with_the_deal_in_their_order(pair):
    second = add_contact(pair, NAME="Вторая")
    first = add_contact(pair)
    deal_id = add_deal(pair, first, second, company_id=add_company(pair))
    pair.webhook(deal_id)
    pair.run()
    [deal] = pair.deals()
    assert names_on(pair, deal) == ["Иван", "Вторая"]
    ivan = next(row for row in on_target(pair) if row["NAME"] == "Иван")
    assert deal["CONTACT_ID"] == ivan["ID"]
    assert (ivan["LAST_NAME"], ivan["POST"]) == ("Петров", "Закупки")
    assert ivan["PHONE"][0]["VALUE_TYPE"] == "MOBILE"
    assert (values(ivan, "PHONE"), values(ivan, "EMAIL")) == (["+7 999 111-22-33"], ["ivan@example.com"])
    assert (ivan["ORIGINATOR_ID"], ivan["ORIGIN_ID"]) == (pair.route.stamp, first)
    [romashka] = on_target(pair, "companies")
    assert (romashka["TITLE"], deal["COMPANY_ID"]) == ("Ромашка", romashka["ID"])
    assert pair.job().state == "done"
    assert pair.job().warning == ""


def test_the_primary_contact_is_primary_there_too(pair):
    one, two = add_contact(pair, NAME="Первый"), add_contact(pair, NAME="Главный")
    deal_id = add_deal(pair, one, two)
    links = [{"CONTACT_ID": one, "SORT": 10}, {"CONTACT_ID": two, "SORT": 20, "IS_PRIMARY": "Y"}]
    pair.call("source", "crm.deal.contact.items.set", {"id": deal_id, "items": links})
    pair.webhook(deal_id)
    pair.run()
    assert names_on(pair, pair.deals()[0]) == ["Главный", "Первый"]


def test_whoever_is_there_already_is_found_by_phone_or_email_and_left_as_they_are(pair):
    by_phone = add_contact(pair, "target", NAME="Иван Иваныч", PHONE=[{"VALUE": "+7(999)111 22 33"}])
    by_mail = add_contact(pair, "target", NAME="Мария", EMAIL=[{"VALUE": "Maria@example.com"}])
    maria = add_contact(pair, NAME="М.", PHONE=[{"VALUE": "+7 1"}], EMAIL=[{"VALUE": "maria@example.com"}])
    pair.webhook(add_deal(pair, add_contact(pair), maria))
    pair.run()
    [deal] = pair.deals()
    assert [str(one) for one in deal["CONTACT_IDS"]] == [by_phone, by_mail]
    rows = {row["ID"]: row for row in on_target(pair)}
    assert len(rows) == 2
    assert (rows[by_phone]["NAME"], values(rows[by_phone], "EMAIL")) == ("Иван Иваныч", [])
    assert (rows[by_mail]["NAME"], values(rows[by_mail], "PHONE")) == ("Мария", [])


def test_two_contacts_here_may_be_one_there(pair):
    one, two = add_contact(pair), add_contact(pair, NAME="Ваня", PHONE=IVAN["PHONE"])
    pair.webhook(add_deal(pair, one, two))
    pair.run()
    assert len(on_target(pair)) == 1
    assert [str(found) for found in pair.deals()[0]["CONTACT_IDS"]] == [on_target(pair)[0]["ID"]]
    pair.webhook(add_deal(pair, two))
    pair.run()
    assert [deal["CONTACT_IDS"] for deal in pair.deals()] == [[int(on_target(pair)[0]["ID"])]] * 2


def test_fifty_deals_with_the_same_new_contact_create_it_once(pair):
    """It has neither phone nor e-mail, so only the stored intent keeps it from being created again."""
    one = add_contact(pair, NAME="Без телефона")
    for _ in range(50):
        pair.webhook(add_deal(pair, one))
    engine.drain(pair.from_portal.pk)
    pair.fast_forward(rounds=6)
    assert len(on_target(pair)) == 1
    assert len(pair.deals()) == 50
    assert {tuple(deal["CONTACT_IDS"]) for deal in pair.deals()} == {(int(on_target(pair)[0]["ID"]),)}
    assert not Job.objects.exclude(state="done").exists()


def stop_before_add_party(pair) -> Job:
    """Work until a job is about to add a contact and the portal refuses by its limit; that job."""
    pair.target.post(
        "faults", {"rules": [{"refuse": 1.0, "refuse_as": "query_limit", "methods": ["crm.item.add"]}]}
    )
    for _ in range(5):
        pair.drain()
    pair.target.post("faults", {})
    time.sleep(2.1)  # the limit's own wait
    return Job.objects.get(step="add_party")


def fast_forward_others(pair, job: Job, rounds: int = 8) -> None:
    """Drain both portals `rounds` times, with every job but this one due."""
    for _ in range(rounds):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        Job.objects.filter(pk=job.pk).update(due_at=timezone.now() + timedelta(hours=1))
        pair.drain()


def test_whoever_comes_second_waits_for_the_first_however_long_it_takes(pair):
    one = add_contact(pair, NAME="Без телефона")
    for _ in range(2):
        pair.webhook(add_deal(pair, one))
    first = stop_before_add_party(pair)
    fast_forward_others(pair, first)
    assert on_target(pair) == []
    assert Job.objects.exclude(pk=first.pk).get().attempts == 0
    Job.objects.update(due_at=timezone.now())
    pair.run()
    assert (len(on_target(pair)), len(pair.deals())) == (1, 2)


def test_an_intent_that_comes_back_to_its_first_job_is_looked_up_again(pair):
    one = add_contact(pair, NAME="Один")
    pair.webhook(add_deal(pair, one))
    first = stop_before_add_party(pair)
    assert Job.objects.cancel(now=timezone.now()) == 1
    pair.webhook(add_deal(pair, one))
    stop_at_step(pair, "seek_party")
    pair.target.post("faults", {})
    assert Job.objects.filter(state="waiting").cancel(now=timezone.now()) == 1
    assert len(on_target(pair)) == 1
    assert Job.objects.filter(pk=first.pk).requeue(now=timezone.now()) == 1
    pair.run()
    assert (len(on_target(pair)), len(pair.deals())) == (1, 1)


def test_what_was_refused_to_one_deal_does_not_wait_for_its_other_contacts(pair):
    bad, good = add_refused_contact(pair), add_contact(pair, NAME="Годный")
    pair.webhook(add_deal(pair, bad, good))
    for _ in range(3):
        pair.drain()
        if "without_party" in Attempt.objects.values_list("step", flat=True):
            break
    first = Job.objects.get()
    Job.objects.update(step="party", state="waiting", head_of=F("lane"), portal=pair.to_portal)
    pair.webhook(add_deal(pair, bad))
    fast_forward_others(pair, first)
    assert Job.objects.exclude(pk=first.pk).get().state == "done"


@pytest.mark.parametrize("where", ["middle", "inside"])
def test_a_lost_answer_to_the_contacts_create_makes_no_second_one(pair, where):
    rule = {"cut": 1.0, "cut_where": where, "count": 1, "methods": ["crm.item.add"]}
    pair.target.post("faults", {"rules": [rule]})
    pair.webhook(add_deal(pair, add_contact(pair, NAME="Один"), company_id=add_company(pair, TITLE="Одна")))
    pair.run()
    assert (len(on_target(pair)), len(on_target(pair, "companies")), len(pair.deals())) == (1, 1, 1)
    assert "seek_party" in Attempt.objects.values_list("step", flat=True)
    assert pair.job().state == "done"


def stop_at_step(pair, at: str, **changes) -> None:
    """Work until a job stands at that step because answers are lost; then change its columns, if named."""
    for _ in range(20):
        if Job.objects.filter(step=at).exists():
            break
        engine.drain(pair.from_portal.pk)
        pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": ["crm.item.add"]}]})
        engine.drain(pair.to_portal.pk)
    Job.objects.filter(step=at).update(**(changes or {"note": ""}))


def test_an_intent_whose_job_was_cancelled_is_taken_over_by_a_look_up(pair):
    one = add_contact(pair, NAME="Один")
    pair.webhook(add_deal(pair, one))
    stop_at_step(pair, "seek_party")
    assert len(on_target(pair)) == 1  # it ran; its answer was lost
    assert Job.objects.cancel(now=timezone.now()) == 1
    pair.webhook(add_deal(pair, one))
    pair.run()
    assert len(on_target(pair)) == 1
    assert pair.retry() == 1
    pair.run()
    assert len(on_target(pair)) == 1
    assert [deal["CONTACT_IDS"] for deal in pair.deals()] == [[int(on_target(pair)[0]["ID"])]] * 2


def test_an_event_that_joins_a_job_in_the_middle_makes_no_second_contact(pair):
    one = add_contact(pair, NAME="Один")
    deal_id = add_deal(pair, one)
    pair.webhook(deal_id)
    stop_at_step(pair, "seek_party", step="add_party", portal=pair.to_portal)  # as a limit would leave it
    pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    assert pair.job().step == "fetch"
    pair.run()
    assert (len(on_target(pair)), len(pair.deals())) == (1, 1)


def test_a_refused_contact_is_a_warning_and_the_deal_goes(pair):
    good = add_contact(pair, NAME="Годный")
    bad = add_refused_contact(pair)
    deal_id = add_deal(pair, bad, good)
    pair.webhook(deal_id)
    pair.run()
    [deal] = pair.deals()
    assert names_on(pair, deal) == ["Годный"]
    assert pair.job().state == "done"
    assert "e-mail" in pair.job().warning
    pair.call("source", "crm.contact.update", {"id": bad, "fields": {"EMAIL": [{"ID": "9001", "VALUE": ""}]}})
    pair.webhook(deal_id)  # the deal itself has not changed
    pair.run()
    assert names_on(pair, pair.deals()[0]) == ["Плохой", "Годный"]
    assert len(on_target(pair)) == 2


def test_a_refused_contact_does_not_hold_up_others_who_bring_it(pair):
    bad = add_refused_contact(pair)
    for _ in range(3):
        pair.webhook(add_deal(pair, bad))
    pair.run()
    assert len(pair.deals()) == 3
    assert all("e-mail" in job.warning for job in Job.objects.all())


def test_a_deleted_contact_is_a_warning_and_the_deal_goes(pair):
    gone, good = add_contact(pair, NAME="Ушёл"), add_contact(pair, NAME="Остался")
    deal_id = add_deal(pair, gone, good)
    pair.source.emulator.portal.entities[3].table.remove(int(gone))
    pair.webhook(deal_id)
    pair.run()
    assert names_on(pair, pair.deals()[0]) == ["Остался"]
    assert f"contact {gone}" in pair.job().warning


def test_no_right_to_contacts_is_a_warning_and_the_deal_goes(pair):
    rules = [{"command_error": 1.0, "methods": ["crm.duplicate.findbycomm"]}]
    pair.target.post("faults", {"rules": rules})
    ids = [add_deal(pair, add_contact(pair)) for _ in range(2)]
    for deal_id in ids:
        pair.webhook(deal_id)
    pair.fast_forward(rounds=60)
    pair.target.post("faults", {})
    assert len(pair.deals()) == 2
    assert all("findbycomm" in job.warning for job in Job.objects.all())


def test_the_dealers_own_contact_stays_until_ours_change(pair):
    one = add_contact(pair)
    deal_id = add_deal(pair, one)
    pair.webhook(deal_id)
    pair.run()
    [deal] = pair.deals()
    own = add_contact(pair, "target", NAME="Дилера")
    pair.call("target", "crm.deal.contact.add", {"id": deal["ID"], "fields": {"CONTACT_ID": own}})
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": "new"}})
    pair.webhook(deal_id)
    pair.run()
    assert (pair.deals()[0]["TITLE"], names_on(pair, pair.deals()[0])) == ("new", ["Иван", "Дилера"])
    added = add_contact(pair, NAME="Третий")
    pair.call("source", "crm.deal.contact.add", {"id": deal_id, "fields": {"CONTACT_ID": added}})
    pair.webhook(deal_id)
    pair.run()
    assert names_on(pair, pair.deals()[0]) == ["Иван", "Третий"]
    assert [values(row, "PHONE") for row in on_target(pair) if row["NAME"] == "Иван"] == [
        ["+7 999 111-22-33"]
    ]


def test_known_contacts_cost_no_request(pair):
    one, firm = add_contact(pair), add_company(pair)
    pair.webhook(add_deal(pair, one, company_id=firm))
    pair.run()
    before = pair.requests()
    deals = [add_deal(pair, one, company_id=firm) for _ in range(20)]
    seeded = pair.requests() - before
    for deal_id in deals:
        pair.webhook(deal_id)
    pair.run()
    assert pair.requests() - before - seeded == 3  # fetch, create, announce
    assert len(pair.deals()) == 21


def test_new_contacts_of_many_deals_share_requests(pair):
    for number in range(20):
        one = add_contact(pair, NAME=f"К{number}", PHONE=[{"VALUE": f"+7 900 000-00-{number:02}"}])
        pair.webhook(add_deal(pair, one, company_id=add_company(pair, TITLE=f"Ф{number}")))
    before = pair.requests()
    pair.run()
    # fetch, contacts, companies; by phone, contacts created, companies created; deals, comments with stages
    assert pair.requests() - before == 8
    assert (len(on_target(pair)), len(on_target(pair, "companies"))) == (20, 20)


def test_more_contacts_than_one_command_holds_all_arrive(pair):
    people = [add_contact(pair, NAME=f"К{number}") for number in range(60)]
    pair.webhook(add_deal(pair, *people))
    pair.run(seconds=60)
    assert names_on(pair, pair.deals()[0]) == [f"К{number}" for number in range(60)]


def test_a_route_that_carries_nothing_asks_for_nothing(pair):
    pair.carry()
    ids = [add_deal(pair, add_contact(pair), company_id=add_company(pair)) for _ in range(5)]
    before = pair.requests()
    for deal_id in ids:
        pair.webhook(deal_id)
    pair.run()
    assert pair.requests() - before == 3
    assert (on_target(pair), Link.objects.exclude(entity="deal").count()) == ([], 0)


def test_workers_at_once_create_nobody_twice(pair):
    people = [add_contact(pair, NAME=f"К{number}") for number in range(5)]
    for number in range(30):
        pair.webhook(
            add_deal(
                pair, *people[number % 3 :], company_id=add_company(pair, TITLE="Ф") if not number else ""
            )
        )
    pair.target.post("limits", {"latency": 0.05})
    ends = time.monotonic() + 60

    def work() -> None:
        try:
            while time.monotonic() < ends and Job.objects.filter(state__in=Job.OPEN).exists():
                pair.drain()
                time.sleep(0.02)
        finally:
            connection.close()

    engine.drain(pair.from_portal.pk)
    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(row["NAME"] for row in on_target(pair)) == [f"К{number}" for number in range(5)]
    assert len(pair.deals()) == 30
    assert set(Job.objects.values_list("state", "warning")) == {("done", "")}


def test_after_a_restore_contacts_are_looked_for_first(pair):
    one, firm = add_contact(pair, NAME="Без телефона"), add_company(pair, TITLE="Без телефона")
    pair.webhook(add_deal(pair, one, company_id=firm))
    pair.run()
    Link.objects.all().delete()  # the backup was older
    pair.route.options = {**pair.route.options, "look_first": True}
    pair.route.save(update_fields=["options"])
    pair.webhook(add_deal(pair, one, company_id=firm))
    pair.run()
    assert (len(on_target(pair)), len(on_target(pair, "companies")), len(pair.deals())) == (1, 1, 2)
