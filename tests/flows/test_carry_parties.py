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
def carrying(bus):
    """The route carries both."""
    carry(bus, contacts=True, companies=True)


def carry(bus, **what) -> None:
    bus.route.options = {**bus.route.options, "carry": what}
    bus.route.save(update_fields=["options"])


def contact(bus, side: str = "source", **fields) -> str:
    return str(bus.call(side, "crm.contact.add", {"fields": fields or IVAN}))


def company(bus, side: str = "source", **fields) -> str:
    return str(bus.call(side, "crm.company.add", {"fields": fields or ROMASHKA}))


def unwelcome(bus) -> str:
    """A contact that every portal refuses."""
    bad = contact(bus, NAME="Плохой")
    bus.source.emulator.portal.entities[3].table.get(int(bad))["EMAIL"] = [
        {"ID": "9001", "VALUE": "not an address", "VALUE_TYPE": "WORK", "TYPE_ID": "EMAIL"}
    ]
    return bad


def deal_with(bus, *contacts: str, company_id: str = "") -> str:
    [deal_id] = bus.seed(CONTACT_IDS=list(contacts), **({"COMPANY_ID": company_id} if company_id else {}))
    return str(deal_id)


def there(bus, kind: str = "contacts") -> list[dict]:
    return bus.target.get(kind)[kind]


def values(row: dict, name: str) -> list[str]:
    return [one["VALUE"] for one in row.get(name) or []]


def names_on(bus, deal: dict) -> list[str]:
    names = {row["ID"]: row["NAME"] for row in there(bus)}
    return [names[str(one)] for one in deal["CONTACT_IDS"]]


def hurry(bus, rounds: int = 60) -> None:
    """Push everything along as if time passed."""
    for _ in range(rounds):
        Job.objects.filter(state="waiting", due_at__isnull=False).update(due_at=timezone.now())
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)


def requests_of(bus) -> int:
    return sum(getattr(bus, side).get("stats")["requests"] for side in ("source", "target"))


def test_contacts_and_company_arrive_with_the_deal_in_their_order(bus):
    second = contact(bus, NAME="Вторая")
    first = contact(bus)
    deal_id = deal_with(bus, first, second, company_id=company(bus))
    bus.webhook(deal_id)
    bus.run()
    [deal] = bus.deals()
    assert names_on(bus, deal) == ["Иван", "Вторая"]
    ivan = next(row for row in there(bus) if row["NAME"] == "Иван")
    assert deal["CONTACT_ID"] == ivan["ID"]
    assert (ivan["LAST_NAME"], ivan["POST"]) == ("Петров", "Закупки")
    assert ivan["PHONE"][0]["VALUE_TYPE"] == "MOBILE"
    assert (values(ivan, "PHONE"), values(ivan, "EMAIL")) == (["+7 999 111-22-33"], ["ivan@example.com"])
    assert (ivan["ORIGINATOR_ID"], ivan["ORIGIN_ID"]) == (bus.route.stamp, first)
    [romashka] = there(bus, "companies")
    assert (romashka["TITLE"], deal["COMPANY_ID"]) == ("Ромашка", romashka["ID"])
    assert bus.job().state == "done"
    assert bus.job().warning == ""


def test_the_primary_contact_is_primary_there_too(bus):
    one, two = contact(bus, NAME="Первый"), contact(bus, NAME="Главный")
    deal_id = deal_with(bus, one, two)
    links = [{"CONTACT_ID": one, "SORT": 10}, {"CONTACT_ID": two, "SORT": 20, "IS_PRIMARY": "Y"}]
    bus.call("source", "crm.deal.contact.items.set", {"id": deal_id, "items": links})
    bus.webhook(deal_id)
    bus.run()
    assert names_on(bus, bus.deals()[0]) == ["Главный", "Первый"]


def test_whoever_is_there_already_is_found_by_phone_or_email_and_left_as_they_are(bus):
    by_phone = contact(bus, "target", NAME="Иван Иваныч", PHONE=[{"VALUE": "+7(999)111 22 33"}])
    by_mail = contact(bus, "target", NAME="Мария", EMAIL=[{"VALUE": "Maria@example.com"}])
    maria = contact(bus, NAME="М.", PHONE=[{"VALUE": "+7 1"}], EMAIL=[{"VALUE": "maria@example.com"}])
    bus.webhook(deal_with(bus, contact(bus), maria))
    bus.run()
    [deal] = bus.deals()
    assert [str(one) for one in deal["CONTACT_IDS"]] == [by_phone, by_mail]
    rows = {row["ID"]: row for row in there(bus)}
    assert len(rows) == 2
    assert (rows[by_phone]["NAME"], values(rows[by_phone], "EMAIL")) == ("Иван Иваныч", [])
    assert (rows[by_mail]["NAME"], values(rows[by_mail], "PHONE")) == ("Мария", [])


def test_two_contacts_here_may_be_one_there(bus):
    one, two = contact(bus), contact(bus, NAME="Ваня", PHONE=IVAN["PHONE"])
    bus.webhook(deal_with(bus, one, two))
    bus.run()
    assert len(there(bus)) == 1
    assert [str(found) for found in bus.deals()[0]["CONTACT_IDS"]] == [there(bus)[0]["ID"]]
    bus.webhook(deal_with(bus, two))
    bus.run()
    assert [deal["CONTACT_IDS"] for deal in bus.deals()] == [[int(there(bus)[0]["ID"])]] * 2


def test_fifty_deals_with_the_same_new_contact_bring_it_once(bus):
    """Told apart by nothing but the intent: it has neither phone nor e-mail."""
    one = contact(bus, NAME="Без телефона")
    for _ in range(50):
        bus.webhook(deal_with(bus, one))
    engine.drain(bus.from_portal.pk)
    hurry(bus, rounds=6)
    assert len(there(bus)) == 1
    assert len(bus.deals()) == 50
    assert {tuple(deal["CONTACT_IDS"]) for deal in bus.deals()} == {(int(there(bus)[0]["ID"]),)}
    assert not Job.objects.exclude(state="done").exists()


def held_back(bus) -> Job:
    """Work until a job is to add a contact, and the portal's limit says not now."""
    bus.target.post(
        "faults", {"rules": [{"refuse": 1.0, "refuse_as": "query_limit", "methods": ["crm.item.add"]}]}
    )
    for _ in range(5):
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)
    bus.target.post("faults", {})
    time.sleep(2.1)  # the limit's own wait
    return Job.objects.get(step="add_party")


def hurry_others(bus, job: Job, rounds: int = 8) -> None:
    for _ in range(rounds):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        Job.objects.filter(pk=job.pk).update(due_at=timezone.now() + timedelta(hours=1))
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)


def test_whoever_comes_second_waits_for_the_first_however_long_it_takes(bus):
    one = contact(bus, NAME="Без телефона")
    for _ in range(2):
        bus.webhook(deal_with(bus, one))
    maker = held_back(bus)
    hurry_others(bus, maker)
    assert there(bus) == []
    assert Job.objects.exclude(pk=maker.pk).get().attempts == 0
    Job.objects.update(due_at=timezone.now())
    bus.run()
    assert (len(there(bus)), len(bus.deals())) == (1, 2)


def test_an_intent_that_comes_back_to_its_first_maker_is_looked_up_again(bus):
    one = contact(bus, NAME="Один")
    bus.webhook(deal_with(bus, one))
    first = held_back(bus)
    assert Job.objects.cancel(now=timezone.now()) == 1
    bus.webhook(deal_with(bus, one))
    to_step(bus, "seek_party")
    bus.target.post("faults", {})
    assert Job.objects.filter(state="waiting").cancel(now=timezone.now()) == 1
    assert len(there(bus)) == 1
    assert Job.objects.filter(pk=first.pk).requeue(now=timezone.now()) == 1
    bus.run()
    assert (len(there(bus)), len(bus.deals())) == (1, 1)


def test_what_was_refused_to_one_deal_does_not_wait_for_its_other_contacts(bus):
    bad, good = unwelcome(bus), contact(bus, NAME="Годный")
    bus.webhook(deal_with(bus, bad, good))
    for _ in range(3):
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)
        if "without_party" in Attempt.objects.values_list("step", flat=True):
            break
    maker = Job.objects.get()
    Job.objects.update(step="party", state="waiting", head_of=F("lane"), portal=bus.to_portal)
    bus.webhook(deal_with(bus, bad))
    hurry_others(bus, maker)
    assert Job.objects.exclude(pk=maker.pk).get().state == "done"


@pytest.mark.parametrize("where", ["middle", "inside"])
def test_a_lost_answer_to_the_contacts_create_makes_no_second_one(bus, where):
    rule = {"cut": 1.0, "cut_where": where, "count": 1, "methods": ["crm.item.add"]}
    bus.target.post("faults", {"rules": [rule]})
    bus.webhook(deal_with(bus, contact(bus, NAME="Один"), company_id=company(bus, TITLE="Одна")))
    bus.run()
    assert (len(there(bus)), len(there(bus, "companies")), len(bus.deals())) == (1, 1, 1)
    assert "seek_party" in Attempt.objects.values_list("step", flat=True)
    assert bus.job().state == "done"


def to_step(bus, at: str, **changes) -> None:
    """As a crash at that step leaves the job."""
    for _ in range(20):
        if Job.objects.filter(step=at).exists():
            break
        engine.drain(bus.from_portal.pk)
        bus.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": ["crm.item.add"]}]})
        engine.drain(bus.to_portal.pk)
    Job.objects.filter(step=at).update(**(changes or {"note": ""}))


def test_an_intent_whose_maker_was_cancelled_is_taken_over_by_looking_first(bus):
    one = contact(bus, NAME="Один")
    bus.webhook(deal_with(bus, one))
    to_step(bus, "seek_party")
    assert len(there(bus)) == 1  # it ran; its answer was lost
    assert Job.objects.cancel(now=timezone.now()) == 1
    bus.webhook(deal_with(bus, one))
    bus.run()
    assert len(there(bus)) == 1
    assert bus.retry() == 1
    bus.run()
    assert len(there(bus)) == 1
    assert [deal["CONTACT_IDS"] for deal in bus.deals()] == [[int(there(bus)[0]["ID"])]] * 2


def test_an_event_that_joins_a_job_in_the_middle_makes_no_second_contact(bus):
    one = contact(bus, NAME="Один")
    deal_id = deal_with(bus, one)
    bus.webhook(deal_id)
    to_step(bus, "seek_party", step="add_party", portal=bus.to_portal)  # as a limit would leave it
    bus.webhook(deal_id)
    inbox.sort(bus.from_portal)
    assert bus.job().step == "fetch"
    bus.run()
    assert (len(there(bus)), len(bus.deals())) == (1, 1)


def test_a_refused_contact_is_a_warning_and_the_deal_goes(bus):
    good = contact(bus, NAME="Годный")
    bad = unwelcome(bus)
    deal_id = deal_with(bus, bad, good)
    bus.webhook(deal_id)
    bus.run()
    [deal] = bus.deals()
    assert names_on(bus, deal) == ["Годный"]
    assert bus.job().state == "done"
    assert "e-mail" in bus.job().warning
    bus.call("source", "crm.contact.update", {"id": bad, "fields": {"EMAIL": [{"ID": "9001", "VALUE": ""}]}})
    bus.webhook(deal_id)  # the deal itself has not changed
    bus.run()
    assert names_on(bus, bus.deals()[0]) == ["Плохой", "Годный"]
    assert len(there(bus)) == 2


def test_a_refused_contact_does_not_hold_up_others_who_bring_it(bus):
    bad = unwelcome(bus)
    for _ in range(3):
        bus.webhook(deal_with(bus, bad))
    bus.run()
    assert len(bus.deals()) == 3
    assert all("e-mail" in job.warning for job in Job.objects.all())


def test_a_deleted_contact_is_a_warning_and_the_deal_goes(bus):
    gone, good = contact(bus, NAME="Ушёл"), contact(bus, NAME="Остался")
    deal_id = deal_with(bus, gone, good)
    bus.source.emulator.portal.entities[3].table.remove(int(gone))
    bus.webhook(deal_id)
    bus.run()
    assert names_on(bus, bus.deals()[0]) == ["Остался"]
    assert f"contact {gone}" in bus.job().warning


def test_no_right_to_contacts_is_a_warning_and_the_deal_goes(bus):
    rules = [{"command_error": 1.0, "methods": ["crm.duplicate.findbycomm"]}]
    bus.target.post("faults", {"rules": rules})
    ids = [deal_with(bus, contact(bus)) for _ in range(2)]
    for deal_id in ids:
        bus.webhook(deal_id)
    hurry(bus)
    bus.target.post("faults", {})
    assert len(bus.deals()) == 2
    assert all("findbycomm" in job.warning for job in Job.objects.all())


def test_the_dealers_own_contact_stays_until_ours_change(bus):
    one = contact(bus)
    deal_id = deal_with(bus, one)
    bus.webhook(deal_id)
    bus.run()
    [deal] = bus.deals()
    own = contact(bus, "target", NAME="Дилера")
    bus.call("target", "crm.deal.contact.add", {"id": deal["ID"], "fields": {"CONTACT_ID": own}})
    bus.call("source", "crm.deal.update", {"id": deal_id, "fields": {"TITLE": "new"}})
    bus.webhook(deal_id)
    bus.run()
    assert (bus.deals()[0]["TITLE"], names_on(bus, bus.deals()[0])) == ("new", ["Иван", "Дилера"])
    added = contact(bus, NAME="Третий")
    bus.call("source", "crm.deal.contact.add", {"id": deal_id, "fields": {"CONTACT_ID": added}})
    bus.webhook(deal_id)
    bus.run()
    assert names_on(bus, bus.deals()[0]) == ["Иван", "Третий"]
    assert [values(row, "PHONE") for row in there(bus) if row["NAME"] == "Иван"] == [["+7 999 111-22-33"]]


def test_known_contacts_cost_no_request(bus):
    one, firm = contact(bus), company(bus)
    bus.webhook(deal_with(bus, one, company_id=firm))
    bus.run()
    before = requests_of(bus)
    deals = [deal_with(bus, one, company_id=firm) for _ in range(20)]
    seeded = requests_of(bus) - before
    for deal_id in deals:
        bus.webhook(deal_id)
    bus.run()
    assert requests_of(bus) - before - seeded == 3  # fetch, create, announce
    assert len(bus.deals()) == 21


def test_new_contacts_of_many_deals_share_requests(bus):
    for number in range(20):
        one = contact(bus, NAME=f"К{number}", PHONE=[{"VALUE": f"+7 900 000-00-{number:02}"}])
        bus.webhook(deal_with(bus, one, company_id=company(bus, TITLE=f"Ф{number}")))
    before = requests_of(bus)
    bus.run()
    # fetch, contacts, companies; by phone, contacts created, companies created; deals, comments with stages
    assert requests_of(bus) - before == 8
    assert (len(there(bus)), len(there(bus, "companies"))) == (20, 20)


def test_more_contacts_than_one_command_holds_all_arrive(bus):
    people = [contact(bus, NAME=f"К{number}") for number in range(60)]
    bus.webhook(deal_with(bus, *people))
    bus.run(seconds=60)
    assert names_on(bus, bus.deals()[0]) == [f"К{number}" for number in range(60)]


def test_a_route_that_carries_nothing_asks_for_nothing(bus):
    carry(bus)
    ids = [deal_with(bus, contact(bus), company_id=company(bus)) for _ in range(5)]
    before = requests_of(bus)
    for deal_id in ids:
        bus.webhook(deal_id)
    bus.run()
    assert requests_of(bus) - before == 3
    assert (there(bus), Link.objects.exclude(entity="deal").count()) == ([], 0)


def test_two_workers_at_once_bring_nobody_twice(bus):
    people = [contact(bus, NAME=f"К{number}") for number in range(5)]
    for number in range(30):
        bus.webhook(
            deal_with(bus, *people[number % 3 :], company_id=company(bus, TITLE="Ф") if not number else "")
        )
    bus.target.post("limits", {"latency": 0.05})
    ends = time.monotonic() + 60

    def work() -> None:
        try:
            while time.monotonic() < ends and Job.objects.filter(state__in=Job.OPEN).exists():
                engine.drain(bus.from_portal.pk)
                engine.drain(bus.to_portal.pk)
                time.sleep(0.02)
        finally:
            connection.close()

    engine.drain(bus.from_portal.pk)
    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(row["NAME"] for row in there(bus)) == [f"К{number}" for number in range(5)]
    assert len(bus.deals()) == 30
    assert set(Job.objects.values_list("state", "warning")) == {("done", "")}


def test_after_a_restore_contacts_are_looked_for_first(bus):
    one, firm = contact(bus, NAME="Без телефона"), company(bus, TITLE="Без телефона")
    bus.webhook(deal_with(bus, one, company_id=firm))
    bus.run()
    Link.objects.all().delete()  # the backup was older
    bus.route.options = {**bus.route.options, "look_first": True}
    bus.route.save(update_fields=["options"])
    bus.webhook(deal_with(bus, one, company_id=firm))
    bus.run()
    assert (len(there(bus)), len(there(bus, "companies")), len(bus.deals())) == (1, 1, 2)
