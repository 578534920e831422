"""Contacts and companies travel with their deal, and nobody is made twice."""

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
def carrying(pair):
    """The route carries both."""
    carry(pair, contacts=True, companies=True)


def carry(pair, **what) -> None:
    pair.route.options = {**pair.route.options, "carry": what}
    pair.route.save(update_fields=["options"])


def contact(pair, side: str = "source", **fields) -> str:
    return str(pair.call(side, "crm.contact.add", {"fields": fields or IVAN}))


def company(pair, side: str = "source", **fields) -> str:
    return str(pair.call(side, "crm.company.add", {"fields": fields or ROMASHKA}))


def unwelcome(pair) -> str:
    """A contact that every portal refuses."""
    bad = contact(pair, NAME="Плохой")
    pair.source.emulator.portal.entities[3].table.get(int(bad))["EMAIL"] = [
        {"ID": "9001", "VALUE": "not an address", "VALUE_TYPE": "WORK", "TYPE_ID": "EMAIL"}
    ]
    return bad


def deal_with(pair, *contacts: str, company_id: str = "") -> str:
    [deal_id] = pair.seed(CONTACT_IDS=list(contacts), **({"COMPANY_ID": company_id} if company_id else {}))
    return str(deal_id)


def there(pair, kind: str = "contacts") -> list[dict]:
    return pair.target.get(kind)[kind]


def values(row: dict, name: str) -> list[str]:
    return [one["VALUE"] for one in row.get(name) or []]


def names_on(pair, deal: dict) -> list[str]:
    names = {row["ID"]: row["NAME"] for row in there(pair)}
    return [names[str(one)] for one in deal["CONTACT_IDS"]]


def hurry(pair, rounds: int = 60) -> None:
    """Push everything along as if time passed."""
    for _ in range(rounds):
        Job.objects.filter(state="waiting", due_at__isnull=False).update(due_at=timezone.now())
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)


def requests_of(pair) -> int:
    return sum(getattr(pair, side).get("stats")["requests"] for side in ("source", "target"))


def test_contacts_and_company_arrive_with_the_deal_in_their_order(pair):
    second = contact(pair, NAME="Вторая")
    first = contact(pair)
    deal_id = deal_with(pair, first, second, company_id=company(pair))
    pair.webhook(deal_id)
    pair.run()
    [deal] = pair.deals()
    assert names_on(pair, deal) == ["Иван", "Вторая"]
    ivan = next(row for row in there(pair) if row["NAME"] == "Иван")
    assert deal["CONTACT_ID"] == ivan["ID"]
    assert (ivan["LAST_NAME"], ivan["POST"]) == ("Петров", "Закупки")
    assert ivan["PHONE"][0]["VALUE_TYPE"] == "MOBILE"
    assert (values(ivan, "PHONE"), values(ivan, "EMAIL")) == (["+7 999 111-22-33"], ["ivan@example.com"])
    assert (ivan["ORIGINATOR_ID"], ivan["ORIGIN_ID"]) == (pair.route.stamp, first)
    [romashka] = there(pair, "companies")
    assert (romashka["TITLE"], deal["COMPANY_ID"]) == ("Ромашка", romashka["ID"])
    assert pair.job().state == "done"
    assert pair.job().warning == ""


def test_the_primary_contact_is_primary_there_too(pair):
    one, two = contact(pair, NAME="Первый"), contact(pair, NAME="Главный")
    deal_id = deal_with(pair, one, two)
    links = [{"CONTACT_ID": one, "SORT": 10}, {"CONTACT_ID": two, "SORT": 20, "IS_PRIMARY": "Y"}]
    pair.call("source", "crm.deal.contact.items.set", {"id": deal_id, "items": links})
    pair.webhook(deal_id)
    pair.run()
    assert names_on(pair, pair.deals()[0]) == ["Главный", "Первый"]


def test_whoever_is_there_already_is_found_by_phone_or_email_and_left_as_they_are(pair):
    by_phone = contact(pair, "target", NAME="Иван Иваныч", PHONE=[{"VALUE": "+7(999)111 22 33"}])
    by_mail = contact(pair, "target", NAME="Мария", EMAIL=[{"VALUE": "Maria@example.com"}])
    maria = contact(pair, NAME="М.", PHONE=[{"VALUE": "+7 1"}], EMAIL=[{"VALUE": "maria@example.com"}])
    pair.webhook(deal_with(pair, contact(pair), maria))
    pair.run()
    [deal] = pair.deals()
    assert [str(one) for one in deal["CONTACT_IDS"]] == [by_phone, by_mail]
    rows = {row["ID"]: row for row in there(pair)}
    assert len(rows) == 2
    assert (rows[by_phone]["NAME"], values(rows[by_phone], "EMAIL")) == ("Иван Иваныч", [])
    assert (rows[by_mail]["NAME"], values(rows[by_mail], "PHONE")) == ("Мария", [])


def test_two_contacts_here_may_be_one_there(pair):
    one, two = contact(pair), contact(pair, NAME="Ваня", PHONE=IVAN["PHONE"])
    pair.webhook(deal_with(pair, one, two))
    pair.run()
    assert len(there(pair)) == 1
    assert [str(found) for found in pair.deals()[0]["CONTACT_IDS"]] == [there(pair)[0]["ID"]]
    pair.webhook(deal_with(pair, two))
    pair.run()
    assert [deal["CONTACT_IDS"] for deal in pair.deals()] == [[int(there(pair)[0]["ID"])]] * 2


def test_fifty_deals_with_the_same_new_contact_bring_it_once(pair):
    """Told apart by nothing but the intent: it has neither phone nor e-mail."""
    one = contact(pair, NAME="Без телефона")
    for _ in range(50):
        pair.webhook(deal_with(pair, one))
    engine.drain(pair.from_portal.pk)
    hurry(pair, rounds=6)
    assert len(there(pair)) == 1
    assert len(pair.deals()) == 50
    assert {tuple(deal["CONTACT_IDS"]) for deal in pair.deals()} == {(int(there(pair)[0]["ID"]),)}
    assert not Job.objects.exclude(state="done").exists()


def held_back(pair) -> Job:
    """Work until a job is to add a contact, and the portal's limit says not now."""
    pair.target.post(
        "faults", {"rules": [{"refuse": 1.0, "refuse_as": "query_limit", "methods": ["crm.item.add"]}]}
    )
    for _ in range(5):
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)
    pair.target.post("faults", {})
    time.sleep(2.1)  # the limit's own wait
    return Job.objects.get(step="add_party")


def hurry_others(pair, job: Job, rounds: int = 8) -> None:
    for _ in range(rounds):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        Job.objects.filter(pk=job.pk).update(due_at=timezone.now() + timedelta(hours=1))
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)


def test_whoever_comes_second_waits_for_the_first_however_long_it_takes(pair):
    one = contact(pair, NAME="Без телефона")
    for _ in range(2):
        pair.webhook(deal_with(pair, one))
    maker = held_back(pair)
    hurry_others(pair, maker)
    assert there(pair) == []
    assert Job.objects.exclude(pk=maker.pk).get().attempts == 0
    Job.objects.update(due_at=timezone.now())
    pair.run()
    assert (len(there(pair)), len(pair.deals())) == (1, 2)


def test_an_intent_that_comes_back_to_its_first_maker_is_looked_up_again(pair):
    one = contact(pair, NAME="Один")
    pair.webhook(deal_with(pair, one))
    first = held_back(pair)
    assert Job.objects.cancel(now=timezone.now()) == 1
    pair.webhook(deal_with(pair, one))
    to_step(pair, "seek_party")
    pair.target.post("faults", {})
    assert Job.objects.filter(state="waiting").cancel(now=timezone.now()) == 1
    assert len(there(pair)) == 1
    assert Job.objects.filter(pk=first.pk).requeue(now=timezone.now()) == 1
    pair.run()
    assert (len(there(pair)), len(pair.deals())) == (1, 1)


def test_what_was_refused_to_one_deal_does_not_wait_for_its_other_contacts(pair):
    bad, good = unwelcome(pair), contact(pair, NAME="Годный")
    pair.webhook(deal_with(pair, bad, good))
    for _ in range(3):
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)
        if "without_party" in Attempt.objects.values_list("step", flat=True):
            break
    maker = Job.objects.get()
    Job.objects.update(step="party", state="waiting", head_of=F("lane"), portal=pair.to_portal)
    pair.webhook(deal_with(pair, bad))
    hurry_others(pair, maker)
    assert Job.objects.exclude(pk=maker.pk).get().state == "done"


@pytest.mark.parametrize("where", ["middle", "inside"])
def test_a_lost_answer_to_the_contacts_create_makes_no_second_one(pair, where):
    rule = {"cut": 1.0, "cut_where": where, "count": 1, "methods": ["crm.item.add"]}
    pair.target.post("faults", {"rules": [rule]})
    pair.webhook(deal_with(pair, contact(pair, NAME="Один"), company_id=company(pair, TITLE="Одна")))
    pair.run()
    assert (len(there(pair)), len(there(pair, "companies")), len(pair.deals())) == (1, 1, 1)
    assert "seek_party" in Attempt.objects.values_list("step", flat=True)
    assert pair.job().state == "done"


def to_step(pair, at: str, **changes) -> None:
    """As a crash at that step leaves the job."""
    for _ in range(20):
        if Job.objects.filter(step=at).exists():
            break
        engine.drain(pair.from_portal.pk)
        pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": ["crm.item.add"]}]})
        engine.drain(pair.to_portal.pk)
    Job.objects.filter(step=at).update(**(changes or {"note": ""}))


def test_an_intent_whose_maker_was_cancelled_is_taken_over_by_looking_first(pair):
    one = contact(pair, NAME="Один")
    pair.webhook(deal_with(pair, one))
    to_step(pair, "seek_party")
    assert len(there(pair)) == 1  # it ran; its answer was lost
    assert Job.objects.cancel(now=timezone.now()) == 1
    pair.webhook(deal_with(pair, one))
    pair.run()
    assert len(there(pair)) == 1
    assert pair.retry() == 1
    pair.run()
    assert len(there(pair)) == 1
    assert [deal["CONTACT_IDS"] for deal in pair.deals()] == [[int(there(pair)[0]["ID"])]] * 2


def test_an_event_that_joins_a_job_in_the_middle_makes_no_second_contact(pair):
    one = contact(pair, NAME="Один")
    deal_id = deal_with(pair, one)
    pair.webhook(deal_id)
    to_step(pair, "seek_party", step="add_party", portal=pair.to_portal)  # as a limit would leave it
    pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    assert pair.job().step == "fetch"
    pair.run()
    assert (len(there(pair)), len(pair.deals())) == (1, 1)


def test_a_refused_contact_is_a_warning_and_the_deal_goes(pair):
    good = contact(pair, NAME="Годный")
    bad = unwelcome(pair)
    deal_id = deal_with(pair, bad, good)
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
    assert len(there(pair)) == 2


def test_a_refused_contact_does_not_hold_up_others_who_bring_it(pair):
    bad = unwelcome(pair)
    for _ in range(3):
        pair.webhook(deal_with(pair, bad))
    pair.run()
    assert len(pair.deals()) == 3
    assert all("e-mail" in job.warning for job in Job.objects.all())


def test_a_deleted_contact_is_a_warning_and_the_deal_goes(pair):
    gone, good = contact(pair, NAME="Ушёл"), contact(pair, NAME="Остался")
    deal_id = deal_with(pair, gone, good)
    pair.source.emulator.portal.entities[3].table.remove(int(gone))
    pair.webhook(deal_id)
    pair.run()
    assert names_on(pair, pair.deals()[0]) == ["Остался"]
    assert f"contact {gone}" in pair.job().warning


def test_no_right_to_contacts_is_a_warning_and_the_deal_goes(pair):
    rules = [{"command_error": 1.0, "methods": ["crm.duplicate.findbycomm"]}]
    pair.target.post("faults", {"rules": rules})
    ids = [deal_with(pair, contact(pair)) for _ in range(2)]
    for deal_id in ids:
        pair.webhook(deal_id)
    hurry(pair)
    pair.target.post("faults", {})
    assert len(pair.deals()) == 2
    assert all("findbycomm" in job.warning for job in Job.objects.all())


def test_the_dealers_own_contact_stays_until_ours_change(pair):
    one = contact(pair)
    deal_id = deal_with(pair, one)
    pair.webhook(deal_id)
    pair.run()
    [deal] = pair.deals()
    own = contact(pair, "target", NAME="Дилера")
    pair.call("target", "crm.deal.contact.add", {"id": deal["ID"], "fields": {"CONTACT_ID": own}})
    pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": "new"}})
    pair.webhook(deal_id)
    pair.run()
    assert (pair.deals()[0]["TITLE"], names_on(pair, pair.deals()[0])) == ("new", ["Иван", "Дилера"])
    added = contact(pair, NAME="Третий")
    pair.call("source", "crm.deal.contact.add", {"id": deal_id, "fields": {"CONTACT_ID": added}})
    pair.webhook(deal_id)
    pair.run()
    assert names_on(pair, pair.deals()[0]) == ["Иван", "Третий"]
    assert [values(row, "PHONE") for row in there(pair) if row["NAME"] == "Иван"] == [["+7 999 111-22-33"]]


def test_known_contacts_cost_no_request(pair):
    one, firm = contact(pair), company(pair)
    pair.webhook(deal_with(pair, one, company_id=firm))
    pair.run()
    before = requests_of(pair)
    deals = [deal_with(pair, one, company_id=firm) for _ in range(20)]
    seeded = requests_of(pair) - before
    for deal_id in deals:
        pair.webhook(deal_id)
    pair.run()
    assert requests_of(pair) - before - seeded == 3  # fetch, create, announce
    assert len(pair.deals()) == 21


def test_new_contacts_of_many_deals_share_requests(pair):
    for number in range(20):
        one = contact(pair, NAME=f"К{number}", PHONE=[{"VALUE": f"+7 900 000-00-{number:02}"}])
        pair.webhook(deal_with(pair, one, company_id=company(pair, TITLE=f"Ф{number}")))
    before = requests_of(pair)
    pair.run()
    # fetch, contacts, companies; by phone, contacts created, companies created; deals, comments with stages
    assert requests_of(pair) - before == 8
    assert (len(there(pair)), len(there(pair, "companies"))) == (20, 20)


def test_more_contacts_than_one_command_holds_all_arrive(pair):
    people = [contact(pair, NAME=f"К{number}") for number in range(60)]
    pair.webhook(deal_with(pair, *people))
    pair.run(seconds=60)
    assert names_on(pair, pair.deals()[0]) == [f"К{number}" for number in range(60)]


def test_a_route_that_carries_nothing_asks_for_nothing(pair):
    carry(pair)
    ids = [deal_with(pair, contact(pair), company_id=company(pair)) for _ in range(5)]
    before = requests_of(pair)
    for deal_id in ids:
        pair.webhook(deal_id)
    pair.run()
    assert requests_of(pair) - before == 3
    assert (there(pair), Link.objects.exclude(entity="deal").count()) == ([], 0)


def test_two_workers_at_once_bring_nobody_twice(pair):
    people = [contact(pair, NAME=f"К{number}") for number in range(5)]
    for number in range(30):
        pair.webhook(
            deal_with(pair, *people[number % 3 :], company_id=company(pair, TITLE="Ф") if not number else "")
        )
    pair.target.post("limits", {"latency": 0.05})
    ends = time.monotonic() + 60

    def work() -> None:
        try:
            while time.monotonic() < ends and Job.objects.filter(state__in=Job.OPEN).exists():
                engine.drain(pair.from_portal.pk)
                engine.drain(pair.to_portal.pk)
                time.sleep(0.02)
        finally:
            connection.close()

    engine.drain(pair.from_portal.pk)
    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(row["NAME"] for row in there(pair)) == [f"К{number}" for number in range(5)]
    assert len(pair.deals()) == 30
    assert set(Job.objects.values_list("state", "warning")) == {("done", "")}


def test_after_a_restore_contacts_are_looked_for_first(pair):
    one, firm = contact(pair, NAME="Без телефона"), company(pair, TITLE="Без телефона")
    pair.webhook(deal_with(pair, one, company_id=firm))
    pair.run()
    Link.objects.all().delete()  # the backup was older
    pair.route.options = {**pair.route.options, "look_first": True}
    pair.route.save(update_fields=["options"])
    pair.webhook(deal_with(pair, one, company_id=firm))
    pair.run()
    assert (len(there(pair)), len(there(pair, "companies")), len(pair.deals())) == (1, 1, 2)
