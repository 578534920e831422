"""Timeline comments are copied between the two cards of a deal: once each, without echo, whatever fails."""

from __future__ import annotations

import base64
import hashlib

import pytest
from django.utils import timezone

from sync import engine, inbox
from sync.connectors.types import IncomingEvent
from sync.models import Attachment, Attempt, Event, Job, Link

ADD = "crm.timeline.comment.add"
LOOKUP_STEP = "seek_comment"
"""Looks for a comment whose create has an unknown outcome."""


@pytest.fixture(autouse=True)
def comments_both_ways(pair):
    """The route copies comments both ways."""
    pair.carry(comments="both")
    pair.source.emulator.portal.directory.users.rows[1] |= {"NAME": "Анна", "LAST_NAME": "Иванова"}


def portal_at(pair, side: str):
    """The portal row at that side of the route."""
    return pair.from_portal if side == "source" else pair.to_portal


def comment_event(pair, side: str, comment_id: str, action: str = "add") -> None:
    """Store the event of a portal about a comment."""
    pair.sent += 1
    one = str(comment_id)
    inbox.receive(
        portal_at(pair, side),
        IncomingEvent("comment", action, one, own_id=one, sent_at=str(pair.sent)),
        details={},
    )


def add_comment(pair, side: str, deal_id: str, text: str) -> str:
    """Add a comment to a card at that side, and store its event; the comment's ID."""
    fields = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text}
    comment_id = str(pair.call(side, ADD, {"fields": fields}))
    comment_event(pair, side, comment_id)
    return comment_id


def comments_on(pair, side: str, deal_id: str) -> list[str]:
    """The texts of the comments on a card at that side."""
    return [row["COMMENT"] for row in getattr(pair, side).get("comments", deal=deal_id)["comments"]]


def deliver_deal(pair) -> tuple[str, str]:
    """Deliver a deal; its IDs on source and target."""
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    pair.run()
    return str(deal_id), str(Link.objects.get(entity="deal").target_id)


def send_new_comment_events(pair, seen: set[tuple[str, str]]) -> int:
    """Store an event for each comment not in `seen`, our own copies included; how many."""
    fresh = {
        (side, row["ID"])
        for side in ("source", "target")
        for row in getattr(pair, side).get("comments")["comments"]
    } - seen
    for side, comment_id in sorted(fresh):
        comment_event(pair, side, comment_id)
    seen |= fresh
    return len(fresh)


def run_until_quiet(pair) -> None:
    """Send events and work in turn until neither portal has a new comment."""
    seen: set[tuple[str, str]] = set()
    for _ in range(8):
        if not send_new_comment_events(pair, seen):
            return
        pair.run()
    raise AssertionError(f"the portals answer each other for ever: {seen}")


def test_a_copy_names_author_and_time_and_keeps_the_text(pair):
    source_id, target_id = deliver_deal(pair)
    add_comment(pair, "source", source_id, "Позвонил [USER=5]Пётр[/USER], [B]ждём[/B] [DISK FILE ID=n7]")
    pair.run()
    [copy] = comments_on(pair, "target", target_id)
    head, text = copy.split("\n", 1)
    assert head.startswith("[B]Анна Иванова[/B], ")
    assert head.endswith(", alpha:")
    assert str(timezone.now().year) in head
    assert text == "Позвонил Пётр, [B]ждём[/B]"
    assert Job.objects.latest("pk").state == "done"


def test_a_comment_of_the_dealer_comes_back(pair):
    source_id, target_id = deliver_deal(pair)
    add_comment(pair, "target", target_id, "Принято")
    pair.run()
    [_, copy] = comments_on(pair, "source", source_id)
    assert copy.endswith("beta:\nПринято")


def test_both_ways_with_every_echo_ends_with_one_copy_each(pair):
    source_id, target_id = deliver_deal(pair)
    add_comment(pair, "source", source_id, "раз")
    add_comment(pair, "source", source_id, "раз")
    add_comment(pair, "target", target_id, "два")
    run_until_quiet(pair)
    assert sorted(text.split("\n")[-1] for text in comments_on(pair, "source", source_id)) == [
        f"Создана сделка №{target_id}",
        "два",
        "раз",
        "раз",
    ]
    assert sorted(text.split("\n")[-1] for text in comments_on(pair, "target", target_id)) == [
        "два",
        "раз",
        "раз",
    ]


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("where", ["middle", "inside"])
def test_a_lost_answer_makes_no_second_copy_and_no_echo(pair, side, where):
    cards = dict(zip(("target", "source"), deliver_deal(pair), strict=True))
    other = "target" if side == "source" else "source"
    getattr(pair, other).post(
        "faults", {"rules": [{"cut": 1.0, "cut_where": where, "count": 1, "methods": [ADD]}]}
    )
    add_comment(pair, side, cards[other], "раз")
    run_until_quiet(pair)
    assert sum(text.endswith("раз") for text in comments_on(pair, other, cards[side])) == 1
    assert sum(text.endswith("раз") for text in comments_on(pair, side, cards[other])) == 1
    assert any(step.startswith(LOOKUP_STEP) for step in Attempt.objects.values_list("step", flat=True))


def test_equal_comments_whose_answers_are_lost_are_two_copies(pair):
    source_id, target_id = deliver_deal(pair)
    pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": [ADD]}]})
    for _ in range(2):
        add_comment(pair, "source", source_id, "раз")
    run_until_quiet(pair)
    assert [text.split("\n")[-1] for text in comments_on(pair, "target", target_id)] == ["раз", "раз"]


def test_an_event_of_our_copy_that_comes_before_its_answer_is_no_comment(pair):
    """The intent alone tells."""
    source_id, target_id = deliver_deal(pair)
    original = add_comment(pair, "source", source_id, "раз")
    pair.target.post("faults", {"rules": [{"cut": 1.0, "cut_where": "inside", "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        pair.drain()
        if Job.objects.filter(source_id=original, kind="comment", step="seek_comment").exists():
            break
    assert Link.objects.get(entity="comment").state == "creating"
    [copy] = pair.target.get("comments", deal=target_id)["comments"]
    comment_event(pair, "target", copy["ID"])
    engine.drain(pair.to_portal.pk)
    assert Job.objects.get(kind="comment_back").state == "skipped"
    pair.run()
    assert len(comments_on(pair, "source", source_id)) == 2


def test_a_portal_that_changes_the_words_makes_no_echo_either(pair):
    source_id, target_id = deliver_deal(pair)
    original = add_comment(pair, "source", source_id, "раз")
    pair.target.post("faults", {"rules": [{"cut": 1.0, "cut_where": "inside", "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        pair.drain()
        if Job.objects.filter(source_id=original, kind="comment", step="seek_comment").exists():
            break
    [copy] = pair.target.get("comments", deal=target_id)["comments"]
    pair.call(
        "target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": "<p>раз</p>"}}
    )
    comment_event(pair, "target", copy["ID"])
    engine.drain(pair.to_portal.pk)
    assert "just being written" in Job.objects.get(kind="comment_back").note
    pair.call(
        "target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": copy["COMMENT"]}}
    )
    pair.run()
    assert len(comments_on(pair, "source", source_id)) == 2


def test_our_comment_about_the_delivery_is_not_copied(pair):
    pair.route.options = {**pair.route.options, "comment": "✅ «{title}»: сделка №{target_id}"}
    pair.route.save(update_fields=["options"])
    _, target_id = deliver_deal(pair)
    run_until_quiet(pair)
    assert comments_on(pair, "target", target_id) == []


def test_an_edited_comment_updates_its_copy(pair):
    source_id, target_id = deliver_deal(pair)
    comment_id = add_comment(pair, "source", source_id, "было")
    pair.run()
    pair.call("source", "crm.timeline.comment.update", {"id": comment_id, "fields": {"COMMENT": "стало"}})
    comment_event(pair, "source", comment_id, "update")
    pair.run()
    [copy] = comments_on(pair, "target", target_id)
    assert copy.endswith("стало")
    comment_event(pair, "source", comment_id, "update")
    pair.run()
    assert Job.objects.latest("pk").state == "skipped"
    assert pair.calls("target", "crm.timeline.comment.update") == 1


def test_an_edit_after_a_cancelled_lost_write_finds_the_old_words(pair):
    source_id, target_id = deliver_deal(pair)
    comment_id = add_comment(pair, "source", source_id, "было")
    pair.target.post("faults", {"rules": [{"cut": 1.0, "count": 1, "methods": [ADD]}]})
    for _ in range(10):
        pair.drain()
        if Job.objects.filter(step="seek_comment").exists():
            break
    assert Job.objects.cancel(now=timezone.now()) == 1
    pair.call("source", "crm.timeline.comment.update", {"id": comment_id, "fields": {"COMMENT": "стало"}})
    comment_event(pair, "source", comment_id, "update")
    pair.run()
    [copy] = comments_on(pair, "target", target_id)
    assert copy.endswith("стало")


def test_an_edited_copy_and_deletions_do_not_travel(pair):
    source_id, target_id = deliver_deal(pair)
    comment_id = add_comment(pair, "source", source_id, "раз")
    pair.run()
    [copy] = pair.target.get("comments", deal=target_id)["comments"]
    pair.call("target", "crm.timeline.comment.update", {"id": copy["ID"], "fields": {"COMMENT": "моё"}})
    comment_event(pair, "target", copy["ID"], "update")
    comment_event(pair, "source", comment_id, "delete")
    pair.run()
    assert len(comments_on(pair, "source", source_id)) == 2
    reasons = Event.objects.filter(outcome="ignored").values_list("note", flat=True)
    assert sorted(reason.split(":")[0] for reason in reasons) == [
        "Deletions do not travel",
        "The comment is our own copy of one from the other card.",
    ]


def test_a_comment_or_copy_that_is_gone_is_nothing_to_do(pair):
    source_id, target_id = deliver_deal(pair)
    gone = add_comment(pair, "source", source_id, "раз")
    kept = add_comment(pair, "source", source_id, "два")
    pair.call("source", "crm.timeline.comment.delete", {"id": gone})
    pair.run()
    assert Job.objects.get(kind="comment", source_id=gone).state == "skipped"
    [copy] = pair.target.get("comments", deal=target_id)["comments"]
    pair.call("target", "crm.timeline.comment.delete", {"id": copy["ID"]})
    pair.call("source", "crm.timeline.comment.update", {"id": kept, "fields": {"COMMENT": "три"}})
    comment_event(pair, "source", kept, "update")
    pair.run()
    assert Job.objects.latest("pk").state == "skipped"
    assert comments_on(pair, "target", target_id) == []


@pytest.mark.parametrize(("setting", "arrived"), [("none", (1, 0)), ("forward", (1, 1)), ("back", (2, 0))])
def test_each_way_is_switched_by_itself(pair, setting, arrived):
    source_id, target_id = deliver_deal(pair)
    pair.carry(comments=setting)
    add_comment(pair, "source", source_id, "раз")
    add_comment(pair, "target", target_id, "два")
    pair.run()
    copies = [text for text in comments_on(pair, "source", source_id) if "beta" in text or "Создана" in text]
    assert (
        len(copies),
        len([text for text in comments_on(pair, "target", target_id) if "alpha" in text]),
    ) == arrived


def test_comments_wait_for_a_deal_on_its_way_without_asking_again(pair):
    [deal_id] = pair.seed()
    pair.target.post("faults", {"away": True})
    pair.webhook(deal_id)
    add_comment(pair, "source", deal_id, "раз")
    for _ in range(6):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        pair.drain()
    job = Job.objects.get(kind="comment")
    assert (job.state, job.attempts) == ("waiting", 0)
    assert pair.calls("source", "crm.timeline.comment.get") == 1
    pair.target.post("faults", {})
    pair.fast_forward(rounds=12)
    assert len(comments_on(pair, "target", str(Link.objects.get(entity="deal").target_id))) == 1


def test_comments_of_a_deal_that_failed_wait_for_staff(pair):
    [deal_id] = pair.seed()
    missing = pair.map("UF_CRM_1773568858481", origin="param", source="article", values={"A": "B"})
    pair.webhook(deal_id, article="X")
    pair.run()
    add_comment(pair, "source", deal_id, "раз")
    pair.run()
    job = Job.objects.get(kind="comment")
    assert (job.state, job.failure) == ("failed", "config")
    missing.delete()
    pair.retry()
    pair.run(seconds=40)
    [copy] = comments_on(pair, "target", str(Link.objects.get(entity="deal").target_id))
    assert copy.endswith("раз")


def test_comments_of_unmapped_deals_and_of_other_records_are_skipped(pair):
    [deal_id] = pair.seed()
    add_comment(pair, "source", deal_id, "раз")
    lead = pair.call("source", "crm.lead.add", {"fields": {"TITLE": "x"}})
    fields = {"ENTITY_ID": lead, "ENTITY_TYPE": "lead", "COMMENT": "два"}
    comment_event(pair, "source", pair.call("source", ADD, {"fields": fields}))
    pair.run()
    assert set(Job.objects.values_list("state", flat=True)) == {"skipped"}
    assert pair.target.get("comments")["comments"] == []


def test_without_the_right_to_read_users_a_comment_travels_nameless_with_a_warning(pair):
    source_id, target_id = deliver_deal(pair)
    pair.source.post("faults", {"rules": [{"licence": "ACCESS_DENIED", "methods": ["user.get"]}]})
    add_comment(pair, "source", source_id, "раз")
    pair.fast_forward(rounds=12)
    [copy] = comments_on(pair, "target", target_id)
    assert (copy.split("\n")[-1], "[B]" in copy) == ("раз", False)
    job = Job.objects.get(kind="comment")
    assert (job.state, "user.get" in job.warning) == ("done", True)


def test_many_comments_share_requests(pair):
    source_id, _ = deliver_deal(pair)
    for number in range(20):
        add_comment(pair, "source", source_id, str(number))
    before = pair.requests()
    pair.run()
    assert pair.requests() - before == 3  # comments, authors, copies


def add_comment_with_files(pair, deal_id: str, text: str, *names: str) -> str:
    """Add a comment with files of these names to a source card, and store its event; the comment's ID."""
    files = [[name, base64.b64encode(name.encode() * 1000).decode()] for name in names]
    fields = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text, "FILES": files}
    comment_id = str(pair.call("source", ADD, {"fields": fields}))
    comment_event(pair, "source", comment_id)
    return comment_id


def files_on(pair, deal_id: str) -> list[list[tuple[str, str]]]:
    """Name and SHA-256 of the files of each comment on a target card."""
    comments = pair.target.get("comments", deal=deal_id)["comments"]
    return [[(file["name"], file["sha256"]) for file in row["FILES"]] for row in comments]


def expected_files(*names: str) -> list[tuple[str, str]]:
    """Name and SHA-256 of the files that `add_comment_with_files` attaches."""
    return [(name, hashlib.sha256(name.encode() * 1000).hexdigest()) for name in names]


@pytest.mark.parametrize("faults", [[], [{"cut": 1.0, "count": 1, "methods": [ADD]}]])
def test_files_of_a_comment_travel_with_it(pair, faults):
    pair.carry(comments="both", files=True)
    source_id, target_id = deliver_deal(pair)
    pair.target.post("faults", {"rules": faults})
    comment_id = add_comment_with_files(pair, source_id, "см. файлы", "чертёж.pdf", "смета.xls")
    run_until_quiet(pair)
    assert files_on(pair, target_id) == [expected_files("чертёж.pdf", "смета.xls")]
    assert comments_on(pair, "target", target_id)[0].endswith("см. файлы")
    comment_event(pair, "source", comment_id, "update")
    pair.run()
    assert Job.objects.latest("pk").state == "skipped"  # nothing has changed
    assert not Attachment.objects.exists()


def test_a_file_that_cannot_be_had_stays_behind_and_is_counted(pair):
    pair.carry(comments="both", files=True)
    source_id, target_id = deliver_deal(pair)
    comment_id = add_comment_with_files(pair, source_id, "см. файлы", "раз.pdf", "два.pdf")
    first = next(iter(pair.call("source", "crm.timeline.comment.get", {"id": comment_id})["FILES"]))
    object.__setattr__(pair.source.emulator.portal.files.get(int(first)), "is_disk", False)
    pair.run()
    assert files_on(pair, target_id) == [expected_files("два.pdf")]
    assert comments_on(pair, "target", target_id)[0].endswith("см. файлы\n📎 × 1")
    job = Job.objects.get(kind="comment")
    assert (job.state, "disk.file.get" in job.warning) == ("done", True)


def test_without_carrying_files_they_are_only_counted(pair):
    source_id, target_id = deliver_deal(pair)
    add_comment_with_files(pair, source_id, "см. файлы", "раз.pdf", "два.pdf")
    pair.run()
    assert files_on(pair, target_id) == [[]]
    assert comments_on(pair, "target", target_id)[0].endswith("см. файлы\n📎 × 2")


def test_after_a_restore_copies_are_looked_for_first(pair):
    source_id, target_id = deliver_deal(pair)
    comment_id = add_comment(pair, "source", source_id, "раз")
    pair.run()
    Link.objects.filter(entity="comment").delete()  # the backup was older
    pair.route.options = {**pair.route.options, "look_first": True}
    pair.route.save(update_fields=["options"])
    comment_event(pair, "source", comment_id, "update")
    pair.run()
    assert len(comments_on(pair, "target", target_id)) == 1
