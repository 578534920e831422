"""What a flow declares beside its steps: its kinds of jobs, the portals it joins, what staff may set.

Plain data. The admin, the configuration file and its export are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

Text = str | Promise
"""A sentence for staff, translated when it is shown."""

Direction = Literal["forward", "back"]
"""Of a mapping: source → target, or target → source."""


MAPPING = _("Mapping")
EVENTS = _("Events about this record; several may have joined this job:")


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """A kind of job as staff read it; `mark` and `arrow` stand before and between its two records.

    `source`, `target`: what the records are at either end ("": only their IDs are shown), None: there is no
    record at the target. `link`: what the job's mapping joins ("" = it has none). `mapping`, `events`: what
    stands before the mapping, and before the events, on the job's page.
    """

    label: Text
    source: str = ""
    target: str | None = ""
    link: str = ""
    mark: str = ""
    arrow: str = "→"
    mapping: Text = MAPPING
    events: Text = EVENTS


class NoOptions(BaseModel):
    """The options of a flow that has none."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Kinds of portals that a route may join; no `target`: it ends in tables of our own.

    `not_a_source`: why a portal of any other kind cannot be the source ("" = the usual sentence).
    `only_one`: why there can be no second route, naming the first as %(slug)s ("" = there can).
    """

    source: tuple[str, ...]
    target: tuple[str, ...] = ()
    not_a_source: Text = ""
    only_one: Text = ""

    @property
    def has_target(self) -> bool:
        """Whether a route ends at a portal."""
        return bool(self.target)


@dataclass(frozen=True)
class MappingTable:
    """The mapping rows of one direction as staff see them: the name of a row's field, and the heading."""

    field: Text
    title: Text


@dataclass(frozen=True, kw_only=True)
class OptionField:
    """How staff edit one option. `path`: its keys in the options model, which says its type and default.

    `choices`: value → label; a text without them is one line, or `rows` lines.
    """

    path: tuple[str, ...]
    label: Text
    help_text: Text = ""
    rows: int = 1
    choices: Mapping[str, Text] | None = None

    @property
    def name(self) -> str:
        """The name of the form's field."""
        return "_".join(self.path)


@dataclass(frozen=True)
class OptionGroup:
    """Options under one heading; a tuple of fields stands in one line."""

    title: Text
    lines: tuple[OptionField | tuple[OptionField, ...], ...]


def fields_of(form: tuple[OptionGroup, ...]) -> list[OptionField]:
    """All fields of a form, in order."""
    lines = [line for group in form for line in group.lines]
    return [field for line in lines for field in (line if isinstance(line, tuple) else (line,))]
