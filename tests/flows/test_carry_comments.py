"""Timeline comments travel between the two cards of a deal: once each, with no echo, however calls end."""

from __future__ import annotations

import base64
import hashlib

import pytest
from django.utils import timezone

from sync import engine, inbox
from sync.connectors.types import IncomingEvent
from sync.models import Attachment, Attempt, Event, Job, Link, Pace

ADD = "crm.timeline.comment.add"
UNKNOWN = "seek_comment"


@pytest.fixture(autouse=True)
def carrying(pair):
    """Comments travel both ways."""
    carry(pair, "both")
    pair.source.emulator.portal.directory.users.rows[1] |= {"NAME": "Анна", "LAST_NAME": "Иванова"}


def carry(pair, comments: str) -> None:
    pair.route.options = {**pair.route.options, "carry": {"comments": comments}}
    pair.route.save(update_fields=["options"])


def portal(pair, side: str):
    return pair.from_portal if side == "source" else pair.to_portal


def message(pair, side: str, comment_id: str, action: str = "add") -> None:
    """The event of a portal about a comment."""
    pair.sent += 1
    one = str(comment_id)
    inbox.receive(
        portal(pair, side),
        IncomingEvent("comment", action, one, own_id=one, sent_at=str(pair.sent)),
        details={},
    )


def say(pair, side: str, deal_id: str, text: str, *, is_told: bool = True) -> str:
    fields = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text}
    comment_id = str(pair.call(side, ADD, {"fields": fields}))
    if is_told:
        message(pair, side, comment_id)
    return comment_id


def on(pair, side: str, deal_id: str) -> list[str]:
    return [row["COMMENT"] for row in getattr(pair, side).get("comments", deal=deal_id)["comments"]]


def linked(pair) -> tuple[str, str]:
    """A deal that has arrived; its IDs here and there."""
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    pair.run()
    return str(deal_id), str(Link.objects.get(entity="deal").target_id)


def echo(pair, seen: set[tuple[str, str]]) -> int:
    """What the portals tell of comments since the last time, our own included."""
    fresh = {
        (side, row["ID"])
        for side in ("source", "target")
        for row in getattr(pair, side).get("comments")["comments"]
    } - seen
    for side, comment_id in sorted(fresh):
        message(pair, side, comment_id)
    seen |= fresh
    return len(fresh)


def settle_down(pair) -> None:
    """Events and work until neither portal has news."""
    seen: set[tuple[str, str]] = set()
    for _ in range(8):
        if not echo(pair, seen):
            return
        pair.run()
    raise AssertionError(f"the portals answer each other for ever: {seen}")


def calls(pair, side: str, method: str) -> int:
    return getattr(pair, side).get("stats")["calls"].get(method, 0)


def requests_of(pair) -> int:
    return sum(getattr(pair, side).get("stats")["requests"] for side in ("source", "target"))


def test_a_comment_travels_with_its_author_time_and_words(pair):
    here, there = linked(pair)
    say(pair, "source", here, "Позвонил [USER=5]Пётр[/USER], [B]ждём[/B] [DISK FILE ID=n7]")
    pair.run()
    [copy] = on(pair, "target", there)
    head, text = copy.split("\n", 1)
    assert head.startswith("[B]Анна Иванова[/B], ")
    assert head.endswith(", alpha:")
    assert str(timezone.now().year) in head
    assert text == "Позвонил Пётр, [B]ждём[/B]"
    assert Job.objects.latest("pk").state == "done"


def test_a_comment_of_the_dealer_comes_back(pair):
    here, there = linked(pair)
    say(pair, "target", there, "Принято")
    pair.run()
    [_, copy] = on(pair, "source", here)
    assert copy.endswith("beta:\nПринято")


def test_both_ways_with_every_echo_ends_with_one_copy_each(pair):
    here, there = linked(pair)
    say(pair, "source", here, "раз")
    say(pair, "source", here, "раз")
    say(pair, "target", there, "два")
    settle_down(pair)
    assert sorted(text.split("\n")[-1] for text in on(pair, "source", here)) == [
        f"Создана сделка №{there}",
        "два",
        "раз",
        "раз",
    ]
    assert sorted(text.split("\n")[-1] for text in on(pair, "target", there)) == ["два", "раз", "раз"]


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("where", ["middle", "inside"])
def test_a_lost_answer_makes_no_second_copy_and_no_echo(pair, side, where):
    cards = dict(zip(("target", "source"), linked(pair), strict=True))
    other = "target" if side == "source" else "source"
    getattr(pair, other).post(
        "faults", {"rules": [{"cut": 1.0, "cut_where": where, "count": 1, "methods": [ADD]}]}
    )
    say(pair, side, cards[other], "раз")
    settle_down(pair)
    assert sum(text.endswith("раз") for text in on(pair, other, cards[side])) == 1
    assert sum(text.endswith("раз") for text in on(pair, side, cards[other])) == 1
    assert any(step.startswith(UNKNOWN) for step in Attempt.objects.values_list("step", flat=True))


def test_equal_comments_whose_answers_are_lost_are_two_copies(pair):
    here, there = linked(pair)
    pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": [ADD]}]})
    for _ in range(2):
        say(pair, "source", here, "раз")
    settle_down(pair)
    assert [text.split("\n")[-1] for text in on(pair, "target", there)] == ["раз", "раз"]


def test_an_event_of_our_copy_that_comes_before_its_answer_is_no_comment(pair):
    """The intent alone tells."""
    here, there = linked(pair)
    original = say(pair, "source", here, "раз")
    pair.target.post("faults", {"rules": [{"cut": 1.0, "cut_where": "inside", "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)
        if Job.objects.filter(source_id=original, kind="comment", step="seek_comment").exists():
            break
    assert Link.objects.get(entity="comment").state == "creating"
    [copy] = pair.target.get("comments", deal=there)["comments"]
    message(pair, "target", copy["ID"])
    engine.drain(pair.to_portal.pk)
    assert Job.objects.get(kind="comment_back").state == "skipped"
    pair.run()
    assert len(on(pair, "source", here)) == 2


def test_a_portal_that_changes_the_words_makes_no_echo_either(pair):
    here, there = linked(pair)
    original = say(pair, "source", here, "раз")
    pair.target.post("faults", {"rules": [{"cut": 1.0, "cut_where": "inside", "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)
        if Job.objects.filter(source_id=original, kind="comment", step="seek_comment").exists():
            break
    [copy] = pair.target.get("comments", deal=there)["comments"]
    pair.call(
        "target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": "<p>раз</p>"}}
    )
    message(pair, "target", copy["ID"])
    engine.drain(pair.to_portal.pk)
    assert "just being written" in Job.objects.get(kind="comment_back").note
    pair.call(
        "target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": copy["COMMENT"]}}
    )
    pair.run()
    assert len(on(pair, "source", here)) == 2


def test_our_comment_about_the_arrival_stays_where_it_is(pair):
    pair.route.options = {**pair.route.options, "comment": "✅ «{title}»: сделка №{target_id}"}
    pair.route.save(update_fields=["options"])
    _, there = linked(pair)
    settle_down(pair)
    assert on(pair, "target", there) == []


def test_an_edited_comment_updates_its_copy(pair):
    here, there = linked(pair)
    comment_id = say(pair, "source", here, "было")
    pair.run()
    pair.call("source", "crm.timeline.comment.update", {"id": comment_id, "fields": {"COMMENT": "стало"}})
    message(pair, "source", comment_id, "update")
    pair.run()
    [copy] = on(pair, "target", there)
    assert copy.endswith("стало")
    message(pair, "source", comment_id, "update")
    pair.run()
    assert Job.objects.latest("pk").state == "skipped"
    assert calls(pair, "target", "crm.timeline.comment.update") == 1


def test_an_edit_after_a_cancelled_lost_write_finds_the_old_words(pair):
    here, there = linked(pair)
    comment_id = say(pair, "source", here, "было")
    pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)
        if Job.objects.filter(step="seek_comment").exists():
            break
    assert Job.objects.cancel(now=timezone.now()) == 1
    pair.call("source", "crm.timeline.comment.update", {"id": comment_id, "fields": {"COMMENT": "стало"}})
    message(pair, "source", comment_id, "update")
    pair.run()
    [copy] = on(pair, "target", there)
    assert copy.endswith("стало")


def test_an_edited_copy_and_deletions_do_not_travel(pair):
    here, there = linked(pair)
    comment_id = say(pair, "source", here, "раз")
    pair.run()
    [copy] = pair.target.get("comments", deal=there)["comments"]
    pair.call("target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": "моё"}})
    message(pair, "target", copy["ID"], "update")
    message(pair, "source", comment_id, "delete")
    pair.run()
    assert len(on(pair, "source", here)) == 2
    reasons = Event.objects.filter(outcome="ignored").values_list("note", flat=True)
    assert sorted(reason.split(":")[0] for reason in reasons) == [
        "Deletions do not travel",
        "The comment is our own copy of one from the other card.",
    ]


def test_a_comment_or_copy_that_is_gone_is_nothing_to_do(pair):
    here, there = linked(pair)
    gone = say(pair, "source", here, "раз")
    kept = say(pair, "source", here, "два")
    pair.call("source", "crm.timeline.comment.delete", {"id": gone})
    pair.run()
    assert Job.objects.get(kind="comment", source_id=gone).state == "skipped"
    [copy] = pair.target.get("comments", deal=there)["comments"]
    pair.call("target", "crm.timeline.comment.delete", {"id": copy["ID"]})
    pair.call("source", "crm.timeline.comment.update", {"id": kept, "fields": {"COMMENT": "три"}})
    message(pair, "source", kept, "update")
    pair.run()
    assert Job.objects.latest("pk").state == "skipped"
    assert on(pair, "target", there) == []


@pytest.mark.parametrize(("setting", "arrived"), [("none", (1, 0)), ("forward", (1, 1)), ("back", (2, 0))])
def test_each_way_is_switched_by_itself(pair, setting, arrived):
    here, there = linked(pair)
    carry(pair, setting)
    say(pair, "source", here, "раз")
    say(pair, "target", there, "два")
    pair.run()
    copies = [text for text in on(pair, "source", here) if "beta" in text or "Создана" in text]
    assert (len(copies), len([text for text in on(pair, "target", there) if "alpha" in text])) == arrived


def test_comments_wait_for_a_deal_on_its_way_without_asking_again(pair):
    [deal_id] = pair.seed()
    pair.target.post("faults", {"away": True})
    pair.webhook(deal_id)
    say(pair, "source", deal_id, "раз")
    for _ in range(6):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)
    job = Job.objects.get(kind="comment")
    assert (job.state, job.attempts) == ("waiting", 0)
    assert calls(pair, "source", "crm.timeline.comment.get") == 1
    pair.target.post("faults", {})
    hurry(pair)
    assert len(on(pair, "target", str(Link.objects.get(entity="deal").target_id))) == 1


def hurry(pair, rounds: int = 12) -> None:
    for _ in range(rounds):
        Pace.objects.update(away_until=0)
        Job.objects.filter(state="waiting", due_at__isnull=False).update(due_at=timezone.now())
        engine.drain(pair.from_portal.pk)
        engine.drain(pair.to_portal.pk)


def test_comments_of_a_deal_that_failed_wait_for_staff(pair):
    [deal_id] = pair.seed()
    missing = pair.map("UF_CRM_1773568858481", origin="param", source="article", values={"A": "B"})
    pair.webhook(deal_id, article="X")
    pair.run()
    say(pair, "source", deal_id, "раз")
    pair.run()
    job = Job.objects.get(kind="comment")
    assert (job.state, job.failure) == ("failed", "config")
    missing.delete()
    pair.retry()
    pair.run(seconds=40)
    [copy] = on(pair, "target", str(Link.objects.get(entity="deal").target_id))
    assert copy.endswith("раз")


def test_comments_of_strange_deals_and_of_other_records_stay(pair):
    [deal_id] = pair.seed()
    say(pair, "source", deal_id, "раз")
    lead = pair.call("source", "crm.lead.add", {"fields": {"TITLE": "x"}})
    fields = {"ENTITY_ID": lead, "ENTITY_TYPE": "lead", "COMMENT": "два"}
    message(pair, "source", pair.call("source", ADD, {"fields": fields}))
    pair.run()
    assert set(Job.objects.values_list("state", flat=True)) == {"skipped"}
    assert pair.target.get("comments")["comments"] == []


def test_without_the_right_to_read_users_a_comment_travels_nameless_with_a_warning(pair):
    here, there = linked(pair)
    pair.source.post("faults", {"rules": [{"licence": "ACCESS_DENIED", "methods": ["user.get"]}]})
    say(pair, "source", here, "раз")
    hurry(pair)
    [copy] = on(pair, "target", there)
    assert (copy.split("\n")[-1], "[B]" in copy) == ("раз", False)
    job = Job.objects.get(kind="comment")
    assert (job.state, "user.get" in job.warning) == ("done", True)


def test_many_comments_share_requests(pair):
    here, _ = linked(pair)
    for number in range(20):
        say(pair, "source", here, str(number))
    before = requests_of(pair)
    pair.run()
    assert requests_of(pair) - before == 3  # comments, authors, copies


def carry_files(pair) -> None:
    pair.route.options = {**pair.route.options, "carry": {"comments": "both", "files": True}}
    pair.route.save(update_fields=["options"])


def say_with_files(pair, deal_id: str, text: str, *names: str) -> str:
    files = [[name, base64.b64encode(name.encode() * 1000).decode()] for name in names]
    fields = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text, "FILES": files}
    comment_id = str(pair.call("source", ADD, {"fields": fields}))
    message(pair, "source", comment_id)
    return comment_id


def files_on(pair, deal_id: str) -> list[list[tuple[str, str]]]:
    comments = pair.target.get("comments", deal=deal_id)["comments"]
    return [[(file["name"], file["sha256"]) for file in row["FILES"]] for row in comments]


def sent(*names: str) -> list[tuple[str, str]]:
    return [(name, hashlib.sha256(name.encode() * 1000).hexdigest()) for name in names]


@pytest.mark.parametrize("faults", [[], [{"cut": 1.0, "count": 1, "methods": [ADD]}]])
def test_files_of_a_comment_travel_with_it(pair, faults):
    carry_files(pair)
    here, there = linked(pair)
    pair.target.post("faults", {"rules": faults})
    comment_id = say_with_files(pair, here, "см. файлы", "чертёж.pdf", "смета.xls")
    settle_down(pair)
    assert files_on(pair, there) == [sent("чертёж.pdf", "смета.xls")]
    assert on(pair, "target", there)[0].endswith("см. файлы")
    message(pair, "source", comment_id, "update")
    pair.run()
    assert Job.objects.latest("pk").state == "skipped"  # nothing has changed
    assert not Attachment.objects.exists()


def test_a_file_that_cannot_be_had_stays_behind_and_is_counted(pair):
    carry_files(pair)
    here, there = linked(pair)
    comment_id = say_with_files(pair, here, "см. файлы", "раз.pdf", "два.pdf")
    first = next(iter(pair.call("source", "crm.timeline.comment.get", {"id": comment_id})["FILES"]))
    object.__setattr__(pair.source.emulator.portal.files.get(int(first)), "is_disk", False)
    pair.run()
    assert files_on(pair, there) == [sent("два.pdf")]
    assert on(pair, "target", there)[0].endswith("см. файлы\n📎 × 1")
    job = Job.objects.get(kind="comment")
    assert (job.state, "disk.file.get" in job.warning) == ("done", True)


def test_without_carrying_files_they_are_only_counted(pair):
    here, there = linked(pair)
    say_with_files(pair, here, "см. файлы", "раз.pdf", "два.pdf")
    pair.run()
    assert files_on(pair, there) == [[]]
    assert on(pair, "target", there)[0].endswith("см. файлы\n📎 × 2")


def test_after_a_restore_copies_are_looked_for_first(pair):
    here, there = linked(pair)
    comment_id = say(pair, "source", here, "раз")
    pair.run()
    Link.objects.filter(entity="comment").delete()  # the backup was older
    pair.route.options = {**pair.route.options, "look_first": True}
    pair.route.save(update_fields=["options"])
    message(pair, "source", comment_id, "update")
    pair.run()
    assert len(on(pair, "target", there)) == 1
