"""The doctor's look at a route of deals: do the mappings name what the two portals really have?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Answer, Command
from sync.errors import NeedsStaff
from sync.flows.contract import Checkup, Side
from sync.flows.deals.options import DealOptions
from sync.flows.findings import Finding, fault, ok, warn
from sync.mapping.rules import rules_of
from sync.mapping.transform import Rule, names_in
from sync.models import Route

FUNNEL, STAGE = "CATEGORY_ID", "STAGE_ID"
SHOWN = 5
_STAGE = re.compile(r"C(\d+):.+")
_FIELD_LIKE = re.compile(r"[A-Z][A-Z0-9_]+")


@dataclass(frozen=True)
class PortalSchema:
    """What a portal told about its deals; None is a question that was not answered."""

    fields: Mapping[str, crm.FieldInfo] | None = None
    funnels: Mapping[str, str] | None = None
    stages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def questions(route: Route, side: Side) -> dict[str, Command]:
    """Fields, funnels, and the stages of the funnels that the route names on this side."""
    commands = {"deal fields": crm.deal_fields(), "deal funnels": crm.deal_funnels()}
    return commands | {
        _stages_key(funnel): crm.deal_stages(funnel) for funnel in sorted(_funnels(route, side))
    }


def findings(route: Route, source: Mapping[str, Answer], target: Mapping[str, Answer]) -> list[Finding]:
    """Faults of the mappings, by what both portals have."""
    where = f"route {route.slug}"
    try:
        stage = DealOptions.of(route.options).stage
    except NeedsStaff as error:
        return [fault(where, error.message)]
    here, there = _schema(source), _schema(target)
    ways = (
        _Way(where, str(route.target), rules_of(route, "forward"), reads=here, writes=there),
        _Way(where, str(route.source), rules_of(route, "back"), reads=there, writes=here),
    )
    findings = [finding for way in ways for finding in way.check()]
    findings += [*_missing_required(ways[0]), *_wrong_funnel(ways[0])]
    if stage:
        findings += ways[1].check_values(_("option stage"), STAGE, [stage])
    if not ways[0].rules:
        findings.append(
            warn(where, _("The route has no mappings: its deals arrive empty."), _("Add mappings."))
        )
    return findings or [
        ok(where, _("Its %d mappings fit both portals.") % sum(len(way.rules) for way in ways))
    ]


@dataclass(frozen=True)
class _Way:
    """One direction: its rules, the portal they read and the one they write."""

    where: str
    portal: str
    rules: list[Rule]
    reads: PortalSchema
    writes: PortalSchema

    def check(self) -> Iterator[Finding]:
        """Every rule by itself."""
        for rule in self.rules:
            name = f"{rule.source} → {rule.to}"
            yield from self._check_target(name, rule)
            yield from self._check_source(name, rule)
            yield from self.check_values(name, rule.to, _values_written(rule))

    def check_values(self, name: str, to: str, values: list[str]) -> Iterator[Finding]:
        """Fixed values of a field with choices: funnels, stages, lists."""
        for value in values:
            if to == STAGE:
                funnel = _funnel_of(value)
                choices = self.writes.stages.get(funnel)
            else:
                choices = self.writes.funnels if to == FUNNEL else self._items(to)
            if choices is not None and value not in choices:
                known = ", ".join(f"{key} ({label})" for key, label in list(choices.items())[:SHOWN])
                yield fault(
                    self.where,
                    _("%(mapping)s: %(portal)s has no %(value)s in %(field)s.")
                    % {"mapping": name, "portal": self.portal, "value": value, "field": to},
                    _("Choose one it has: %s …") % known if known else _("Correct the mapping."),
                )

    def _items(self, name: str) -> Mapping[str, str] | None:
        info = (self.writes.fields or {}).get(name)
        return info.items if info and info.type == "enumeration" and info.items else None

    def _check_target(self, name: str, rule: Rule) -> Iterator[Finding]:
        if self.writes.fields is None:
            return
        info = self.writes.fields.get(rule.to)
        words = {"mapping": name, "portal": self.portal, "field": rule.to}
        if info is None:
            yield fault(
                self.where,
                _("%(mapping)s: %(portal)s has no field %(field)s.") % words,
                _("Correct the name, or make the field there."),
            )
        elif info.is_read_only:
            yield fault(
                self.where,
                _("%(mapping)s: field %(field)s of %(portal)s cannot be written.") % words,
                _("Map to another field."),
            )

    def _check_source(self, name: str, rule: Rule) -> Iterator[Finding]:
        if self.reads.fields is None:
            return
        for wanted in sorted(_fields_read(rule) - self.reads.fields.keys()):
            yield fault(
                self.where,
                _("%(mapping)s: the portal it reads has no field %(field)s.")
                % {"mapping": name, "field": wanted},
                _("Correct the name, or make the field there."),
            )
        info = self.reads.fields.get(rule.source) if rule.origin == "field" else None
        if info and info.type == "enumeration" and self._items(rule.to) is not None:
            yield from self._check_list(name, rule, info)

    def _check_list(self, name: str, rule: Rule, info: crm.FieldInfo) -> Iterator[Finding]:
        """Lists of two portals have different IDs: each choice needs one on the other side."""
        unmapped = [f"{key} ({label})" for key, label in info.items.items() if key not in rule.values]
        if not unmapped or (rule.values and rule.otherwise == "skip"):
            return
        yield warn(
            self.where,
            _("%(mapping)s: these choices have none on the other portal: %(choices)s.")
            % {"mapping": name, "choices": ", ".join(unmapped[:SHOWN])},
            _("Add them to the value list of the mapping: the same choice has another ID on another portal."),
        )


def _missing_required(way: _Way) -> Iterator[Finding]:
    mapped = {rule.to for rule in way.rules if rule.when != "update"}
    for name, info in (way.writes.fields or {}).items():
        if info.is_required and not info.is_read_only and name not in mapped:
            yield warn(
                way.where,
                _("%(portal)s requires field %(field)s (%(title)s), and no mapping fills it.")
                % {"portal": way.portal, "field": name, "title": info.title},
                _("Map it, or make it optional there: a deal without it may be refused."),
            )


def _wrong_funnel(way: _Way) -> Iterator[Finding]:
    """A new deal's stage must belong to its funnel."""
    fixed = {
        to: [
            rule.source
            for rule in way.rules
            if rule.to == to and rule.origin == "value" and rule.when != "update"
        ]
        for to in (FUNNEL, STAGE)
    }
    for stage in fixed[STAGE]:
        if _funnel_of(stage) not in (fixed[FUNNEL] or ["0"]):
            yield fault(
                way.where,
                _("New deals get stage %(stage)s, but funnel %(funnel)s.")
                % {"stage": stage, "funnel": ", ".join(fixed[FUNNEL]) or "0"},
                _("Map CATEGORY_ID to the funnel of the stage."),
            )


def _schema(answers: Mapping[str, Answer]) -> PortalSchema:
    stages = {
        key.removeprefix(_stages_key("")): crm.read_stages(answer.value)
        for key, answer in answers.items()
        if key.startswith(_stages_key("")) and answer.error is None
    }
    return PortalSchema(
        fields=_read(answers.get("deal fields"), crm.read_fields),
        funnels=_read(answers.get("deal funnels"), crm.read_funnels),
        stages=stages,
    )


def _read(answer: Answer | None, reader: Callable[[Any], Any]) -> Any:
    return reader(answer.value) if answer is not None and answer.error is None else None


def _stages_key(funnel: str) -> str:
    return f"deal stages {funnel}"


def _funnels(route: Route, side: Side) -> set[str]:
    """Funnels of which the route names a stage on this side."""
    rules = rules_of(route, "forward" if side == "target" else "back")
    stages = [value for rule in rules if rule.to == STAGE for value in _values_written(rule)]
    if side == "source":
        stages.append(str(route.options.get("stage") or ""))
    return {_funnel_of(stage) for stage in stages if stage}


def _funnel_of(stage: str) -> str:
    match = _STAGE.fullmatch(stage)
    return match[1] if match else "0"


def _values_written(rule: Rule) -> list[str]:
    """Values that stand in the mapping itself."""
    fixed = [rule.source] if rule.origin == "value" and not rule.values else []
    return [value for value in [*fixed, rule.default, *rule.values.values()] if value]


def _fields_read(rule: Rule) -> set[str]:
    names = {rule.fallback} - {""}
    if rule.origin == "field":
        names.add(rule.source)
    if rule.origin == "template":  # its names may be webhook parameters; those are rarely in capitals
        names |= {name for name in names_in(rule.source) if _FIELD_LIKE.fullmatch(name)}
    return names


CHECKUP = Checkup(questions=questions, findings=findings)
