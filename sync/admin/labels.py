"""Words for staff: what our short ones mean, and what a person can do about them."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from sync.models import Attempt, Event, Job
from sync.redaction.masking import mask, mask_personal, mask_tree

SAID_BETTER = (gettext_noop("Add another %(verbose_name)s"),)
"""Sentences of Django's admin that our catalogue says in its place: they bend a name wrongly in Russian."""

SHORT = 110
"""Characters of a reason in a list."""

STEPS: dict[str, Any] = {
    "fetch": _("reading the deal"),
    "file": _("downloading a file"),
    "create": _("creating the deal"),
    "create_with_files": _("creating the deal with files"),
    "find": _("looking whether the deal was created"),
    "update": _("updating the deal"),
    "update_with_files": _("updating the deal with files"),
    "announce": _("comment and stage of the source card"),
    "comment": _("comment on the source card"),
    "find_comment": _("looking whether the comment was written"),
    "stage": _("stage of the source card"),
    "look": _("reading the receiver's deal"),
    "report": _("writing back to the source card"),
    "contacts": _("reading the contacts"),
    "without_contacts": _("going on without contacts"),
    "companies": _("reading the company"),
    "without_companies": _("going on without the company"),
    "party": _("looking for the contact or company"),
    "add_party": _("creating the contact or company"),
    "seek_party": _("looking whether the contact or company was created"),
    "without_party": _("going on without a contact or company"),
    "products": _("reading the products"),
    "set_products": _("writing the products"),
    "clear_products": _("removing the products"),
    "without_products": _("going on without the products"),
    "read_comment": _("reading the comment"),
    "read_author": _("reading the comment's author"),
    "find_file": _("looking for the comment's file"),
    "load_file": _("downloading the comment's file"),
    "leave_file": _("going on without the comment's file"),
    "write_comment": _("writing the comment"),
    "write_files": _("writing the comment with files"),
    "seek_comment": _("looking whether the comment was written"),
    "edit_comment": _("changing the comment"),
    "read": _("reading the directory"),
    "pages": _("reading the directory's pages"),
    "write": _("writing the table"),
    "crm_mode": _("asking whether the portal has leads, and which stages"),
    "add_lead": _("creating the lead"),
    "find_lead": _("looking whether the lead is there"),
    "read_lead": _("reading the lead's phones"),
    "update_lead": _("updating the lead"),
    "move_lead": _("moving the lead to its stage"),
}
"""Steps by name; the same step on the way back (`…_back`) bears the same words."""

KINDS: dict[str, Any] = {
    "deal": _("delivery of a deal"),
    "feedback": _("feedback to the source"),
    "comment": _("comment for the target"),
    "comment_back": _("comment for the source"),
    "directory": _("reading a directory"),
    "lead": _("lead of a user"),
}

ACTIONS: dict[str, Any] = {
    "add": _("created"),
    "create": _("created"),
    "update": _("changed"),
    "move": _("moved to a stage"),
    "delete": _("deleted"),
    "": _("signal of a robot"),
}

ENTITIES: dict[str, Any] = {
    "deal": _("deal"),
    "contact": _("contact"),
    "company": _("company"),
    "lead": _("lead"),
    "comment": _("comment"),
    "user": _("user"),
}

ADVICE: dict[str, Any] = {
    Job.Failure.CONFIG: _(
        "Correct the setting that the reason names: the route's field mapping or its value list, the "
        "portal's address, or the rights of its webhook. Then press “Retry”; the job goes on where "
        "it stopped."
    ),
    Job.Failure.REFUSED: _(
        "The portal understood the request and refused it. Open the record's card and look at what the "
        "reason names: a deleted record, a required field, a value the portal does not accept. Correct it, "
        "then press “Retry”; if the record is no longer needed, press “Cancel”."
    ),
    Job.Failure.EXHAUSTED: _(
        "It was tried many times without success. Look at the portal's state; when the portal works again, "
        "press “Retry”. Nothing has been lost."
    ),
    Job.Failure.BUG: _(
        "This is a fault of the program, not of your settings. Send the text below to the developers. "
        "“Retry” is safe and makes no second deal or lead."
    ),
}

TONES: dict[str, str] = {
    Job.State.WAITING: "wait",
    Job.State.RUNNING: "run",
    Job.State.DONE: "good",
    Job.State.SKIPPED: "quiet",
    Job.State.FAILED: "bad",
    Job.State.CANCELLED: "quiet",
    Attempt.Outcome.PASSED: "good",
    Attempt.Outcome.LATER: "wait",
    Attempt.Outcome.AWAY: "wait",
    Attempt.Outcome.UNKNOWN: "wait",
    Event.Outcome.QUEUED: "good",
    Event.Outcome.FOLDED: "run",
    Event.Outcome.IGNORED: "quiet",
}


def sentence(fault: str) -> str:
    """A fault as it stands in a line of a file, as the sentence that stands at a field."""
    return fault[:1].upper() + fault[1:]


def badge(word: str, text: Any) -> SafeString:
    """A state as text on its colour; the text alone is enough to understand it."""
    return badge_of(TONES.get(word, "quiet"), text)


def badge_of(tone: str, text: Any) -> SafeString:
    """Text on the colour of a tone: good, run, wait, bad, quiet."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


def step_words(step: str) -> str:
    """A step as staff read it."""
    return str(STEPS.get(step.removesuffix("_back"), step))


def safe(text: str) -> str:
    """A stored text without secrets and personal data."""
    return mask_personal(mask(text))


def brief(text: str) -> str:
    """The first line of a reason, cut to fit a list."""
    lines = safe(text).strip().splitlines()
    first = lines[0] if lines else ""
    return first if len(first) <= SHORT else first[: SHORT - 1] + "…"


def safe_pairs(tree: Any) -> list[tuple[str, str]]:
    """Parameters as name and value, masked; nested ones keep their path in the name."""
    return [(name, mask_personal(str(value))) for name, value in _leaves(mask_tree(tree), "")]


def _leaves(tree: Any, name: str) -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        return [
            leaf
            for key, item in tree.items()
            for leaf in _leaves(item, f"{name}[{key}]" if name else str(key))
        ]
    if isinstance(tree, list):
        return [leaf for number, item in enumerate(tree) for leaf in _leaves(item, f"{name}[{number}]")]
    return [(name, tree)]
