"""Which portals and routes may stand beside each other, by what flows and connectors declare.

The configuration file and the forms of the admin ask here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from sync.config.document import Fault, Path
from sync.connectors import CONNECTORS, is_called
from sync.flows import FLOWS
from sync.models import Portal, Route

Block = tuple[Path, dict[str, Any]]
"""A block of the file and where it stands."""

USUAL_KIND: str = Portal._meta.get_field("kind").default
"""What a portal is when nothing is said."""


def wrong_end(name: str, *, source: str, target: str) -> tuple[str, str] | None:
    """Which end of a route of this flow cannot be of this kind ("": not known), and why; None when all is
    well.
    """
    flow = FLOWS.get(name)
    if flow and source and source not in flow.ends.source:
        why = flow.ends.not_a_source or _(CONNECTORS[source].not_a_source)
        return "source", str(why or _not_an_end(source))
    if target and not is_called(target):
        why = _("a portal of kind %(kind)s is never called: it cannot be a target")
        return "target", why % {"kind": target}
    if flow and flow.ends.has_target and target and target not in flow.ends.target:
        return "target", _not_an_end(target)
    return None


def wrong_target(name: str, *, has_target: bool) -> str:
    """Why a route of this flow cannot be without a target, or with one; "" when all is well."""
    if FLOWS[name].ends.has_target and not has_target:
        return _("this flow writes to a portal: choose its target")
    if has_target and not FLOWS[name].ends.has_target:
        return _("this flow ends in our own tables: it has no target")
    return ""


def second_portal(kind: str, slug: str) -> str:
    """Why a portal of this slug cannot be of this kind, of which there is only one; "" when it can."""
    others = Portal.objects.filter(kind=kind).exclude(slug=slug).values_list("slug", flat=True)
    return _only_portal(kind, others.first())


def second_route(name: str, slug: str) -> str:
    """Why a route of this slug cannot be of this flow, which has only one; "" when it can."""
    others = Route.objects.filter(flow=name).exclude(slug=slug).values_list("slug", flat=True)
    return _only_route(name, others.first())


def faults(portals: list[Block], routes: list[Block]) -> Iterator[Fault]:
    """What the file makes of kinds and flows, together with what is stored."""
    stored = dict(Portal.objects.values_list("slug", "kind"))
    given = {str(portal.get("slug")): str(portal["kind"]) for _path, portal in portals if portal.get("kind")}
    known = {slug: kind for slug, kind in given.items() if kind in CONNECTORS}
    kinds = {str(portal.get("slug")): USUAL_KIND for _path, portal in portals} | known | stored
    yield from _of_portals(portals, known, stored)
    for path, route in routes:
        source, target = (kinds.get(str(route.get(side)), "") for side in ("source", "target"))
        if found := wrong_end(str(route.get("flow")), source=source, target=target):
            yield (*path, found[0]), found[1]
    yield from _of_routes(routes)


def _of_portals(portals: list[Block], given: dict[str, str], stored: dict[str, str]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for slug, kind in (stored | given).items():
        first.setdefault(kind, slug)
    for path, portal in portals:
        slug = str(portal.get("slug"))
        kind, now = given.get(slug, ""), stored.get(slug)
        if kind and now and kind != now:
            yield (*path, "kind"), _("the portal is of kind %(now)s; make a new portal") % {"now": now}
        elif kind and slug != first[kind] and (why := _only_portal(kind, first[kind])):
            yield (*path, "kind"), why


def _of_routes(routes: list[Block]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for slug, name in Route.objects.order_by("slug").values_list("slug", "flow"):
        first.setdefault(name, slug)
    for path, route in routes:
        name, slug = str(route.get("flow")), str(route.get("slug"))
        if slug != first.setdefault(name, slug) and (why := _only_route(name, first[name])):
            yield (*path, "flow"), why


def _only_portal(kind: str, first: str | None) -> str:
    why = CONNECTORS[kind].only_one if first and kind in CONNECTORS else ""
    return _(why) % {"slug": first} if why else ""


def _only_route(name: str, first: str | None) -> str:
    why = FLOWS[name].ends.only_one if first and name in FLOWS else ""
    return str(why) % {"slug": first} if why else ""


def _not_an_end(kind: str) -> str:
    return _("a portal of kind %(kind)s does not fit this flow") % {"kind": kind}
