"""Words for staff: what our short ones mean, and what a person can do about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from sync.connectors import CONNECTORS
from sync.models import Attempt, Event, Job
from sync.redaction.masking import mask, mask_personal, mask_tree

SAID_BETTER = (gettext_noop("Add another %(verbose_name)s"),)
"""Sentences of Django's admin that our catalogue says in its place: they bend a name wrongly in Russian."""

SHORT = 110
"""Characters of a reason in a list."""

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


def entity_label(entity: str) -> str:
    """What an event or a link is about, as staff read it."""
    return _label_of(entity, [connector.entities for connector in CONNECTORS.values()])


def action_label(action: str) -> str:
    """What happened, as staff read it."""
    return _label_of(action, [connector.actions for connector in CONNECTORS.values()])


def _label_of(word: str, tables: list[Mapping[str, str]]) -> str:
    return next((str(_(labels[word])) for labels in tables if word in labels), word)


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
