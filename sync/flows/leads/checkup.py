"""The doctor's look at a route of leads: has the portal any, and does the mapping name what it really has?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Answer, Command
from sync.flows.contract import Checkup, Side
from sync.flows.findings import Finding, fault, ok
from sync.flows.leads.crm_mode import STAGE
from sync.mapping.rules import rules_of
from sync.mapping.transform import Rule
from sync.models import Route

SHOWN = 10


def questions(_route: Route, side: Side) -> dict[str, Command]:
    """Mode, fields and stages of the target; the source is never called."""
    if side == "source":
        return {}
    return {"crm mode": crm.crm_mode(), "lead fields": crm.lead_fields(), "lead stages": crm.lead_stages()}


def findings(route: Route, _source: Mapping[str, Answer], target: Mapping[str, Answer]) -> list[Finding]:
    """Faults of the portal and of the mapping; nothing is said about what was not answered."""
    where = f"route {route.slug}"
    if _read(target, "crm mode", crm.read_has_leads) is False:
        message = _("%(portal)s is in the simple CRM mode: it makes a deal of every lead at once.")
        todo = _("Switch leads on in the portal's CRM settings; until then every request fails.")
        return [fault(where, message % {"portal": route.target}, todo)]
    fields = _read(target, "lead fields", crm.read_lead_fields)
    stages = _read(target, "lead stages", crm.read_stages)
    findings = [
        fault(where, message, todo)
        for rule in rules_of(route, "forward")
        for message, todo in [*_of_field(route, rule, fields), *_of_stage(route, rule, stages)]
    ]
    return findings or [
        ok(where, _("Leads are on. A user's stage must be one of these, or be mapped: %s.") % _shown(stages))
    ]


def _of_field(
    route: Route, rule: Rule, fields: Mapping[str, crm.FieldInfo] | None
) -> Iterator[tuple[str, str]]:
    words = {"mapping": f"{rule.source} → {rule.to}", "portal": route.target, "field": rule.to}
    info = (fields or {}).get(rule.to)
    if fields is not None and info is None:
        yield (
            _("%(mapping)s: %(portal)s has no field %(field)s.") % words,
            _("Correct the name, or make the field there."),
        )
    if info is not None and info.is_read_only:
        yield (
            _("%(mapping)s: field %(field)s of %(portal)s cannot be written.") % words,
            _("Map to another field."),
        )


def _of_stage(route: Route, rule: Rule, stages: Mapping[str, str] | None) -> Iterator[tuple[str, str]]:
    """Stages that stand in the mapping itself."""
    if rule.to != STAGE or stages is None:
        return
    fixed = [rule.source] if rule.origin == "value" and not rule.values else []
    for value in filter(None, [*fixed, rule.default, *rule.values.values()]):
        if value not in stages:
            words = {"mapping": f"{rule.source} → {rule.to}", "portal": route.target}
            yield (
                _("%(mapping)s: %(portal)s has no %(value)s in %(field)s.")
                % {**words, "value": value, "field": STAGE},
                _("Choose one it has: %s …") % _shown(stages),
            )


def _shown(stages: Mapping[str, str] | None) -> str:
    return ", ".join(f"{key} ({name})" for key, name in list((stages or {}).items())[:SHOWN])


def _read(answers: Mapping[str, Answer], question: str, reader: Callable[[Any], Any]) -> Any:
    answer = answers.get(question)
    return reader(answer.value) if answer is not None and answer.error is None else None


CHECKUP = Checkup(questions=questions, findings=findings)
