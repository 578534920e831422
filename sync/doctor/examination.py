"""The whole examination, in order; without a database only settings and database are examined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sync.doctor.database import check_database
from sync.doctor.messages import check_messages
from sync.doctor.portals import PortalExamination, examine_portal
from sync.doctor.queue import check_queue, check_workers
from sync.doctor.setup import check_settings
from sync.flows import FLOWS
from sync.flows.findings import Finding, fault
from sync.models import Portal, Route
from sync.redaction.masking import mask

MARKS = {"ok": "✓", "warn": "!", "fault": "✗"}

PLACES = {
    "settings": gettext_noop("settings"),
    "database": gettext_noop("database"),
    "queue": gettext_noop("queue"),
    "workers": gettext_noop("workers"),
    "messages": gettext_noop("messages"),
    "portals": gettext_noop("portals"),
    "portal": gettext_noop("portal"),
    "route": gettext_noop("route"),
}
"""First word of a finding's `where`; programs read it as it is, people in their language."""


def examine(*, waiting: Callable[[str, float], None] = lambda *_: None) -> Iterator[Finding]:
    """Yield each finding when made; `waiting` is called with a portal's slug and the seconds to wait."""
    yield from check_settings()
    is_usable, findings = check_database()
    yield from findings
    if not is_usable:
        return
    yield from check_queue()
    yield from check_workers()
    yield from check_messages()
    try:
        portals = list(Portal.objects.order_by("slug"))
        routes = list(Route.objects.select_related("source", "target").order_by("slug"))
    except ImproperlyConfigured as error:  # a stored secret whose key is gone
        yield fault("settings", str(error))
        return
    yield from _portals_and_routes(portals, routes, waiting)


def findings_as_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """The findings for programs, and how many of them need a person."""
    rows = list(findings)
    return {
        "faults": sum(finding.level == "fault" for finding in rows),
        "warnings": sum(finding.level == "warn" for finding in rows),
        "findings": [
            {"level": one.level, "where": one.where, "what": mask(one.what), "todo": mask(one.todo)}
            for one in rows
        ],
    }


def finding_as_text(finding: Finding) -> str:
    """One finding for a person: a line, and under it what to do."""
    word, gap, name = finding.where.partition(" ")
    line = f"{MARKS[finding.level]} {_(PLACES.get(word, word))}{gap}{name}: {mask(finding.what)}"
    return f"{line}\n    → {mask(finding.todo)}" if finding.todo else line


def _portals_and_routes(
    portals: list[Portal], routes: list[Route], waiting: Callable[[str, float], None]
) -> Iterator[Finding]:
    if not portals:
        yield fault(
            "portals",
            _("There is no portal yet."),
            _("Add portals and a route in the admin, or run `manage.py import_config`."),
        )
    examinations: dict[int, PortalExamination] = {}
    for portal in portals:
        own = [route for route in routes if portal.pk in (route.source_id, route.target_id)]
        examinations[portal.pk] = examine_portal(portal, own, waiting=partial(waiting, portal.slug))
        yield from examinations[portal.pk].findings
    for route in routes:
        yield from _route(route, examinations)


def _route(route: Route, examinations: dict[int, PortalExamination]) -> Iterator[Finding]:
    source, target = (examinations[route.portal_id_of(side)].answers for side in ("source", "target"))
    flow = FLOWS[route.flow]
    called = {step.calls for step in flow.steps.values()}
    has_answers = all(examinations[route.portal_id_of(side)].answers for side in called)
    if flow.checkup is not None and has_answers:
        yield from flow.checkup.findings(route, source, target)
