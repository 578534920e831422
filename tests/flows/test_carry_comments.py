"""Timeline comments travel between the two cards of a deal: once each, with no echo, however calls end."""

from __future__ import annotations

import base64
import hashlib

import pytest
from django.utils import timezone

from sync import engine, inbox
from sync.connectors.types import Notice
from sync.models import Attachment, Attempt, Event, Job, Link, Pace

ADD = "crm.timeline.comment.add"
UNKNOWN = "seek_comment"


@pytest.fixture(autouse=True)
def carrying(bus):
    """Comments travel both ways."""
    carry(bus, "both")
    bus.source.emulator.portal.directory.users.rows[1] |= {"NAME": "Анна", "LAST_NAME": "Иванова"}


def carry(bus, comments: str) -> None:
    bus.route.options = {**bus.route.options, "carry": {"comments": comments}}
    bus.route.save(update_fields=["options"])


def portal(bus, side: str):
    return bus.from_portal if side == "source" else bus.to_portal


def told(bus, side: str, comment_id: str, action: str = "add") -> None:
    """The event of a portal about a comment."""
    bus.sent += 1
    one = str(comment_id)
    inbox.receive(
        portal(bus, side), Notice("comment", action, one, own_id=one, sent_at=str(bus.sent)), details={}
    )


def say(bus, side: str, deal_id: str, text: str, *, is_told: bool = True) -> str:
    fields = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text}
    comment_id = str(bus.call(side, ADD, {"fields": fields}))
    if is_told:
        told(bus, side, comment_id)
    return comment_id


def on(bus, side: str, deal_id: str) -> list[str]:
    return [row["COMMENT"] for row in getattr(bus, side).get("comments", deal=deal_id)["comments"]]


def linked(bus) -> tuple[str, str]:
    """A deal that has arrived; its IDs here and there."""
    [deal_id] = bus.seed()
    bus.webhook(deal_id)
    bus.run()
    return str(deal_id), str(Link.objects.get(entity="deal").target_id)


def echo(bus, seen: set[tuple[str, str]]) -> int:
    """What the portals tell of comments since the last time, our own included."""
    fresh = {
        (side, row["ID"])
        for side in ("source", "target")
        for row in getattr(bus, side).get("comments")["comments"]
    } - seen
    for side, comment_id in sorted(fresh):
        told(bus, side, comment_id)
    seen |= fresh
    return len(fresh)


def settle_down(bus) -> None:
    """Events and work until neither portal has news."""
    seen: set[tuple[str, str]] = set()
    for _ in range(8):
        if not echo(bus, seen):
            return
        bus.run()
    raise AssertionError(f"the portals answer each other for ever: {seen}")


def calls(bus, side: str, method: str) -> int:
    return getattr(bus, side).get("stats")["calls"].get(method, 0)


def requests_of(bus) -> int:
    return sum(getattr(bus, side).get("stats")["requests"] for side in ("source", "target"))


def test_a_comment_travels_with_its_author_time_and_words(bus):
    here, there = linked(bus)
    say(bus, "source", here, "Позвонил [USER=5]Пётр[/USER], [B]ждём[/B] [DISK FILE ID=n7]")
    bus.run()
    [copy] = on(bus, "target", there)
    head, text = copy.split("\n", 1)
    assert head.startswith("[B]Анна Иванова[/B], ")
    assert head.endswith(", alpha:")
    assert str(timezone.now().year) in head
    assert text == "Позвонил Пётр, [B]ждём[/B]"
    assert Job.objects.latest("pk").state == "done"


def test_a_comment_of_the_dealer_comes_back(bus):
    here, there = linked(bus)
    say(bus, "target", there, "Принято")
    bus.run()
    [_, copy] = on(bus, "source", here)
    assert copy.endswith("beta:\nПринято")


def test_both_ways_with_every_echo_ends_with_one_copy_each(bus):
    here, there = linked(bus)
    say(bus, "source", here, "раз")
    say(bus, "source", here, "раз")
    say(bus, "target", there, "два")
    settle_down(bus)
    assert sorted(text.split("\n")[-1] for text in on(bus, "source", here)) == [
        f"Создана сделка №{there}",
        "два",
        "раз",
        "раз",
    ]
    assert sorted(text.split("\n")[-1] for text in on(bus, "target", there)) == ["два", "раз", "раз"]


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("where", ["middle", "inside"])
def test_a_lost_answer_makes_no_second_copy_and_no_echo(bus, side, where):
    cards = dict(zip(("target", "source"), linked(bus), strict=True))
    other = "target" if side == "source" else "source"
    getattr(bus, other).post(
        "faults", {"rules": [{"cut": 1.0, "cut_where": where, "count": 1, "methods": [ADD]}]}
    )
    say(bus, side, cards[other], "раз")
    settle_down(bus)
    assert sum(text.endswith("раз") for text in on(bus, other, cards[side])) == 1
    assert sum(text.endswith("раз") for text in on(bus, side, cards[other])) == 1
    assert any(step.startswith(UNKNOWN) for step in Attempt.objects.values_list("step", flat=True))


def test_equal_comments_whose_answers_are_lost_are_two_copies(bus):
    here, there = linked(bus)
    bus.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": [ADD]}]})
    for _ in range(2):
        say(bus, "source", here, "раз")
    settle_down(bus)
    assert [text.split("\n")[-1] for text in on(bus, "target", there)] == ["раз", "раз"]


def test_an_event_of_our_copy_that_comes_before_its_answer_is_no_comment(bus):
    """The intent alone tells."""
    here, there = linked(bus)
    original = say(bus, "source", here, "раз")
    bus.target.post("faults", {"rules": [{"cut": 1.0, "cut_where": "inside", "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)
        if Job.objects.filter(source_id=original, kind="comment", step="seek_comment").exists():
            break
    assert Link.objects.get(entity="comment").state == "creating"
    [copy] = bus.target.get("comments", deal=there)["comments"]
    told(bus, "target", copy["ID"])
    engine.drain(bus.to_portal.pk)
    assert Job.objects.get(kind="comment_back").state == "skipped"
    bus.run()
    assert len(on(bus, "source", here)) == 2


def test_a_portal_that_changes_the_words_makes_no_echo_either(bus):
    here, there = linked(bus)
    original = say(bus, "source", here, "раз")
    bus.target.post("faults", {"rules": [{"cut": 1.0, "cut_where": "inside", "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)
        if Job.objects.filter(source_id=original, kind="comment", step="seek_comment").exists():
            break
    [copy] = bus.target.get("comments", deal=there)["comments"]
    bus.call("target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": "<p>раз</p>"}})
    told(bus, "target", copy["ID"])
    engine.drain(bus.to_portal.pk)
    assert "just being written" in Job.objects.get(kind="comment_back").note
    bus.call(
        "target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": copy["COMMENT"]}}
    )
    bus.run()
    assert len(on(bus, "source", here)) == 2


def test_our_comment_about_the_arrival_stays_where_it_is(bus):
    bus.route.options = {**bus.route.options, "comment": "✅ «{title}»: сделка №{target_id}"}
    bus.route.save(update_fields=["options"])
    _, there = linked(bus)
    settle_down(bus)
    assert on(bus, "target", there) == []


def test_an_edited_comment_updates_its_copy(bus):
    here, there = linked(bus)
    comment_id = say(bus, "source", here, "было")
    bus.run()
    bus.call("source", "crm.timeline.comment.update", {"id": comment_id, "fields": {"COMMENT": "стало"}})
    told(bus, "source", comment_id, "update")
    bus.run()
    [copy] = on(bus, "target", there)
    assert copy.endswith("стало")
    told(bus, "source", comment_id, "update")
    bus.run()
    assert Job.objects.latest("pk").state == "skipped"
    assert calls(bus, "target", "crm.timeline.comment.update") == 1


def test_an_edit_after_a_cancelled_lost_write_finds_the_old_words(bus):
    here, there = linked(bus)
    comment_id = say(bus, "source", here, "было")
    bus.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)
        if Job.objects.filter(step="seek_comment").exists():
            break
    assert Job.objects.cancel(now=timezone.now()) == 1
    bus.call("source", "crm.timeline.comment.update", {"id": comment_id, "fields": {"COMMENT": "стало"}})
    told(bus, "source", comment_id, "update")
    bus.run()
    [copy] = on(bus, "target", there)
    assert copy.endswith("стало")


def test_an_edited_copy_and_deletions_do_not_travel(bus):
    here, there = linked(bus)
    comment_id = say(bus, "source", here, "раз")
    bus.run()
    [copy] = bus.target.get("comments", deal=there)["comments"]
    bus.call("target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": "моё"}})
    told(bus, "target", copy["ID"], "update")
    told(bus, "source", comment_id, "delete")
    bus.run()
    assert len(on(bus, "source", here)) == 2
    reasons = Event.objects.filter(outcome="ignored").values_list("note", flat=True)
    assert sorted(reason.split(":")[0] for reason in reasons) == [
        "Deletions do not travel",
        "The comment is our own copy of one from the other card.",
    ]


def test_a_comment_or_copy_that_is_gone_is_nothing_to_do(bus):
    here, there = linked(bus)
    gone = say(bus, "source", here, "раз")
    kept = say(bus, "source", here, "два")
    bus.call("source", "crm.timeline.comment.delete", {"id": gone})
    bus.run()
    assert Job.objects.get(kind="comment", source_id=gone).state == "skipped"
    [copy] = bus.target.get("comments", deal=there)["comments"]
    bus.call("target", "crm.timeline.comment.delete", {"id": copy["ID"]})
    bus.call("source", "crm.timeline.comment.update", {"id": kept, "fields": {"COMMENT": "три"}})
    told(bus, "source", kept, "update")
    bus.run()
    assert Job.objects.latest("pk").state == "skipped"
    assert on(bus, "target", there) == []


@pytest.mark.parametrize(("setting", "arrived"), [("none", (1, 0)), ("forward", (1, 1)), ("back", (2, 0))])
def test_each_way_is_switched_by_itself(bus, setting, arrived):
    here, there = linked(bus)
    carry(bus, setting)
    say(bus, "source", here, "раз")
    say(bus, "target", there, "два")
    bus.run()
    copies = [text for text in on(bus, "source", here) if "beta" in text or "Создана" in text]
    assert (len(copies), len([text for text in on(bus, "target", there) if "alpha" in text])) == arrived


def test_comments_wait_for_a_deal_on_its_way_without_asking_again(bus):
    [deal_id] = bus.seed()
    bus.target.post("faults", {"away": True})
    bus.webhook(deal_id)
    say(bus, "source", deal_id, "раз")
    for _ in range(6):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)
    job = Job.objects.get(kind="comment")
    assert (job.state, job.attempts) == ("waiting", 0)
    assert calls(bus, "source", "crm.timeline.comment.get") == 1
    bus.target.post("faults", {})
    hurry(bus)
    assert len(on(bus, "target", str(Link.objects.get(entity="deal").target_id))) == 1


def hurry(bus, rounds: int = 12) -> None:
    for _ in range(rounds):
        Pace.objects.update(away_until=0)
        Job.objects.filter(state="waiting", due_at__isnull=False).update(due_at=timezone.now())
        engine.drain(bus.from_portal.pk)
        engine.drain(bus.to_portal.pk)


def test_comments_of_a_deal_that_failed_wait_for_staff(bus):
    [deal_id] = bus.seed()
    missing = bus.map("UF_CRM_1773568858481", origin="param", source="article", values={"A": "B"})
    bus.webhook(deal_id, article="X")
    bus.run()
    say(bus, "source", deal_id, "раз")
    bus.run()
    job = Job.objects.get(kind="comment")
    assert (job.state, job.failure) == ("failed", "config")
    missing.delete()
    bus.retry()
    bus.run(seconds=40)
    [copy] = on(bus, "target", str(Link.objects.get(entity="deal").target_id))
    assert copy.endswith("раз")


def test_comments_of_strange_deals_and_of_other_records_stay(bus):
    [deal_id] = bus.seed()
    say(bus, "source", deal_id, "раз")
    lead = bus.call("source", "crm.lead.add", {"fields": {"TITLE": "x"}})
    fields = {"ENTITY_ID": lead, "ENTITY_TYPE": "lead", "COMMENT": "два"}
    told(bus, "source", bus.call("source", ADD, {"fields": fields}))
    bus.run()
    assert set(Job.objects.values_list("state", flat=True)) == {"skipped"}
    assert bus.target.get("comments")["comments"] == []


def test_without_the_right_to_read_users_a_comment_travels_nameless_with_a_warning(bus):
    here, there = linked(bus)
    bus.source.post("faults", {"rules": [{"licence": "ACCESS_DENIED", "methods": ["user.get"]}]})
    say(bus, "source", here, "раз")
    hurry(bus)
    [copy] = on(bus, "target", there)
    assert (copy.split("\n")[-1], "[B]" in copy) == ("раз", False)
    job = Job.objects.get(kind="comment")
    assert (job.state, "user.get" in job.warning) == ("done", True)


def test_many_comments_share_requests(bus):
    here, _ = linked(bus)
    for number in range(20):
        say(bus, "source", here, str(number))
    before = requests_of(bus)
    bus.run()
    assert requests_of(bus) - before == 3  # comments, authors, copies


def carry_files(bus) -> None:
    bus.route.options = {**bus.route.options, "carry": {"comments": "both", "files": True}}
    bus.route.save(update_fields=["options"])


def say_with_files(bus, deal_id: str, text: str, *names: str) -> str:
    files = [[name, base64.b64encode(name.encode() * 1000).decode()] for name in names]
    fields = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text, "FILES": files}
    comment_id = str(bus.call("source", ADD, {"fields": fields}))
    told(bus, "source", comment_id)
    return comment_id


def files_on(bus, deal_id: str) -> list[list[tuple[str, str]]]:
    comments = bus.target.get("comments", deal=deal_id)["comments"]
    return [[(file["name"], file["sha256"]) for file in row["FILES"]] for row in comments]


def sent(*names: str) -> list[tuple[str, str]]:
    return [(name, hashlib.sha256(name.encode() * 1000).hexdigest()) for name in names]


@pytest.mark.parametrize("faults", [[], [{"cut": 1.0, "count": 1, "methods": [ADD]}]])
def test_files_of_a_comment_travel_with_it(bus, faults):
    carry_files(bus)
    here, there = linked(bus)
    bus.target.post("faults", {"rules": faults})
    comment_id = say_with_files(bus, here, "см. файлы", "чертёж.pdf", "смета.xls")
    settle_down(bus)
    assert files_on(bus, there) == [sent("чертёж.pdf", "смета.xls")]
    assert on(bus, "target", there)[0].endswith("см. файлы")
    told(bus, "source", comment_id, "update")
    bus.run()
    assert Job.objects.latest("pk").state == "skipped"  # nothing has changed
    assert not Attachment.objects.exists()


def test_a_file_that_cannot_be_had_stays_behind_and_is_counted(bus):
    carry_files(bus)
    here, there = linked(bus)
    comment_id = say_with_files(bus, here, "см. файлы", "раз.pdf", "два.pdf")
    first = next(iter(bus.call("source", "crm.timeline.comment.get", {"id": comment_id})["FILES"]))
    object.__setattr__(bus.source.emulator.portal.files.get(int(first)), "is_disk", False)
    bus.run()
    assert files_on(bus, there) == [sent("два.pdf")]
    assert on(bus, "target", there)[0].endswith("см. файлы\n📎 × 1")
    job = Job.objects.get(kind="comment")
    assert (job.state, "disk.file.get" in job.warning) == ("done", True)


def test_without_carrying_files_they_are_only_counted(bus):
    here, there = linked(bus)
    say_with_files(bus, here, "см. файлы", "раз.pdf", "два.pdf")
    bus.run()
    assert files_on(bus, there) == [[]]
    assert on(bus, "target", there)[0].endswith("см. файлы\n📎 × 2")


def test_after_a_restore_copies_are_looked_for_first(bus):
    here, there = linked(bus)
    comment_id = say(bus, "source", here, "раз")
    bus.run()
    Link.objects.filter(entity="comment").delete()  # the backup was older
    bus.route.options = {**bus.route.options, "look_first": True}
    bus.route.save(update_fields=["options"])
    told(bus, "source", comment_id, "update")
    bus.run()
    assert len(on(bus, "target", there)) == 1
