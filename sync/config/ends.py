"""Which kinds of portals a flow may begin and end at: from the users API come leads, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from sync.config.document import Fault, Path
from sync.models import Portal, Route

CORE, BITRIX24 = Portal.Kind.CORE.value, Portal.Kind.BITRIX24.value
LEADS = Route.Flow.LEADS.value

Block = tuple[Path, dict[str, Any]]
"""A block of the file and where it stands."""


def wrong_end(flow: str, *, source: str, target: str) -> tuple[str, str] | None:
    """Which end of a route cannot be of this kind ("": not known), and why; None when all is well."""
    if flow == LEADS and source not in (CORE, ""):
        return "source", _("leads come from the users API: take its portal, of kind core")
    if flow != LEADS and source == CORE:
        return "source", _("a portal of kind core is the source of leads only")
    if target == CORE:
        return "target", _("a portal of kind core is never called: it cannot be a target")
    return None


def other_core(slug: str) -> str:
    """Why a portal of this slug cannot be of kind core: the users API is one; "" when it can."""
    other = Portal.objects.filter(kind=CORE).exclude(slug=slug).values_list("slug", flat=True).first()
    return _only_one_core(other) if other else ""


def other_leads(slug: str) -> str:
    """Why a route of this slug cannot carry leads: a user has one lead; "" when it can."""
    other = Route.objects.filter(flow=LEADS).exclude(slug=slug).values_list("slug", flat=True).first()
    return _only_one_route(other) if other else ""


def faults(portals: list[Block], routes: list[Block]) -> Iterator[Fault]:
    """What the file makes of kinds, together with what is stored."""
    stored = dict(Portal.objects.values_list("slug", "kind"))
    given = {str(portal.get("slug")): str(portal["kind"]) for _path, portal in portals if portal.get("kind")}
    kinds = {str(portal.get("slug")): BITRIX24 for _path, portal in portals} | given | stored
    yield from _of_portals(portals, given, stored)
    for path, route in routes:
        source, target = (kinds.get(str(route.get(side)), "") for side in ("source", "target"))
        if found := wrong_end(str(route.get("flow")), source=source, target=target):
            yield (*path, found[0]), found[1]
    yield from _of_leads(routes)


def _of_portals(portals: list[Block], given: dict[str, str], stored: dict[str, str]) -> Iterator[Fault]:
    first = next((slug for slug, kind in (stored | given).items() if kind == CORE), "")
    for path, portal in portals:
        slug = str(portal.get("slug"))
        kind, now = given.get(slug), stored.get(slug)
        if kind and now and kind != now:
            yield (*path, "kind"), _("the portal is of kind %(now)s; make a new portal") % {"now": now}
        elif kind == CORE and slug != first:
            yield (*path, "kind"), _only_one_core(first)


def _of_leads(routes: list[Block]) -> Iterator[Fault]:
    stored = list(Route.objects.filter(flow=LEADS).values_list("slug", flat=True))
    given = [(path, str(route.get("slug"))) for path, route in routes if route.get("flow") == LEADS]
    first = next(iter([*stored, *(slug for _path, slug in given)]), "")
    for path, slug in given:
        if slug != first:
            yield (*path, "flow"), _only_one_route(first)


def _only_one_core(slug: str) -> str:
    return _("there is one users API, and portal “%(slug)s” stands for it") % {"slug": slug}


def _only_one_route(slug: str) -> str:
    return _("a user has one lead, and route “%(slug)s” carries it") % {"slug": slug}
